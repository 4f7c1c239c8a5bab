import Foundation
import RandomNumbers
import Testing
import Tokenizers

@testable import Datasets

/// Sources and targets of corrupted spans: every token occurs exactly once, and the numbers are those of
/// the published algorithm (`Goldens/span_corruption.py`).
@Suite struct SpanCorruptionTests {
  /// A corruption whose sentinels are the ids from 1000 on, in descending order.
  static func corruption(_ fraction: Double = 0.15, _ meanSpan: Double = 3) -> SpanCorruption {
    SpanCorruption(
      fraction: fraction, meanSpan: meanSpan, sentinels: (0..<100).map { 1099 - $0 }, start: 2,
      end: 1, padding: 0)
  }

  struct Golden: Decodable {
    struct Lengths: Decodable {
      let share: Double
      let meanSpan: Double
      let first: Int
      let tokens: [Int]
      let targets: [Int]
    }
    let lengths: [Lengths]
    let tokens: Int
    let share: Double
    let meanSpan: Double
    let draws: Int
    let taken: [Int]
    let firstSpans: [Int]

    init() throws {
      let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Goldens/span_corruption.json")
      self = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: path))
    }
  }

  @Test func lengthsMatchThePublishedAlgorithm() throws {
    for lengths in try Golden().lengths {
      let corruption = Self.corruption(lengths.share, lengths.meanSpan)
      for (place, tokens) in lengths.tokens.enumerated() {
        let context = lengths.first + place
        let sizes = corruption.sizes(ofSource: context)
        // The published sizes include texts without a span, which have at least one here.
        let corrupted = (Double(tokens) * lengths.share).rounded(.toNearestOrEven)
        guard lengths.targets[place] > Int(corrupted) + 1 else { continue }
        #expect(sizes.tokens == tokens && sizes.target == lengths.targets[place], "\(context)")
        #expect(sizes.source <= context)
      }
    }
  }

  /// Every position is corrupted as often, and spans are as long, as by the published algorithm.
  @Test func ratesMatchThePublishedAlgorithm() throws {
    let golden = try Golden()
    let corruption = Self.corruption(golden.share, golden.meanSpan)
    let sizes = corruption.sizes(of: golden.tokens)
    let draws = 20_000
    var corrupted = [Int](repeating: 0, count: golden.tokens)
    var first = corrupted
    for draw in 0..<draws {
      let spans = corruption.spans(
        sizes, drawing: RandomStream(seed: 5, purpose: .corruption, draw))
      for span in spans { for place in span { corrupted[place] += 1 } }
      first[spans[0].count] += 1
    }
    for (ours, theirs) in zip(corrupted + first, golden.taken + golden.firstSpans) {
      let (p, q) = (Double(ours) / Double(draws), Double(theirs) / Double(golden.draws))
      #expect(abs(p - q) <= 4.5 * (0.25 / Double(draws)).squareRoot(), "\(p), not \(q)")
    }
  }

  /// All segmentations of five tokens into three spans are drawn, each about as often.
  @Test func everySegmentationIsEquallyLikely() {
    let corruption = Self.corruption(0.5, 5 / 3)
    let sizes = corruption.sizes(of: 10)
    #expect(sizes.corrupted == 5 && sizes.spans == 3)
    var counts: [[Int]: Int] = [:]
    for draw in 0..<36_000 {
      let spans = corruption.spans(
        sizes, drawing: RandomStream(seed: 9, purpose: .corruption, draw))
      counts[spans.flatMap { [$0.lowerBound, $0.count] }, default: 0] += 1
    }
    // C(4, 2) segmentations of the corrupted tokens times as many of the others.
    #expect(counts.count == 36)
    #expect(counts.values.allSatisfy { abs($0 - 1000) < 160 }, "\(counts)")
  }

  private static func stream(_ count: Int) -> TokenStream {
    TokenStream((0..<count).map { TokenID(3 + $0 % 900) }, vocabularySize: 1000, endOfText: 1)
  }

  /// Reconstructs the text of a row from its source and target.
  private func text(_ batch: Batch, row: Int, sources: Int) throws -> [TokenID] {
    let length = Int(batch.sourceLengths[row])
    let source = batch.sources[row * sources..<row * sources + length]
    let rest = batch.sources[row * sources + length..<(row + 1) * sources]
    #expect(source.last == 1 && rest.allSatisfy { $0 == 0 })
    let places = row * batch.context..<(row + 1) * batch.context
    let target = places.filter { batch.weights[$0] == 1 }.map { batch.targets[$0] }
    #expect(target.last == 1)
    #expect(Array(batch.inputs[places].prefix(target.count)) == [2] + target.dropLast())
    var spans: [TokenID: [TokenID]] = [:]
    var sentinel: TokenID = 1100
    for id in target.dropLast() {
      if id >= 1000 {
        #expect(id == sentinel - 1, "sentinels descend")
        sentinel = id
        spans[sentinel] = []
      } else {
        spans[sentinel]?.append(id)
      }
    }
    #expect(spans.values.allSatisfy { !$0.isEmpty })
    #expect(source.filter { $0 >= 1000 } == spans.keys.sorted(by: >))
    return source.dropLast().flatMap { $0 >= 1000 ? spans[$0] ?? [] : [$0] }
  }

  @Test(arguments: [8, 31, 64, 200], [(0.15, 3.0), (0.5, 1.0), (0.3, 4.5)])
  func everyTokenIsInSourceOrTarget(context: Int, setting: (Double, Double)) throws {
    let corruption = Self.corruption(setting.0, setting.1)
    let sizes = corruption.sizes(ofSource: context)
    let tokens = Self.stream(5000)
    let loader = try SpanCorruptionLoader(
      tokens: tokens, corruption: corruption, context: context, sequences: 3, microBatches: 2,
      seed: 4)
    let windows = try TrainingLoader(
      tokens: tokens, context: sizes.tokens, sequences: 3, microBatches: 2, seed: 4)
    var batch = Batch(sequences: 3, context: sizes.target)
    var plain = Batch(sequences: 3, context: sizes.tokens)
    for (step, microBatch) in [(0, 0), (0, 1), (7, 1)] {
      try loader.fill(&batch, step: step, microBatch: microBatch)
      try windows.fill(&plain, step: step, microBatch: microBatch)
      #expect(batch.sources.count == 3 * context && batch.sourceLengths.count == 3)
      for row in 0..<3 {
        #expect(Int(batch.sourceLengths[row]) == sizes.source)
        #expect(
          try text(batch, row: row, sources: context)
            == Array(plain.inputs[row * sizes.tokens..<(row + 1) * sizes.tokens]))
      }
    }
  }

  @Test func batchesAreAFunctionOfSeedStepAndMicroBatch() throws {
    let loader = { (seed: UInt64) in
      try SpanCorruptionLoader(
        tokens: Self.stream(3000), corruption: Self.corruption(), context: 40, sequences: 2,
        microBatches: 2, seed: seed)
    }
    let batch = { (seed: UInt64, step: Int, microBatch: Int) in
      var batch = Batch(sequences: 2, context: Self.corruption().sizes(ofSource: 40).target)
      try loader(seed).fill(&batch, step: step, microBatch: microBatch)
      return batch
    }
    let places: [(UInt64, Int, Int)] = [(1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1)]
    let batches = try places.map(batch)
    for (index, one) in batches.enumerated() {
      #expect(try batch(places[index].0, places[index].1, places[index].2) == one)
      #expect(!batches[..<index].contains(one))
    }
    // A window has different spans at every visit.
    let short = try SpanCorruptionLoader(
      tokens: Self.stream(46), corruption: Self.corruption(), context: 40, sequences: 1,
      microBatches: 1, seed: 1)
    var rows: [[TokenID]] = []
    var one = Batch(sequences: 1, context: Self.corruption().sizes(ofSource: 40).target)
    for step in 0..<4 {
      try short.fill(&one, step: step, microBatch: 0)
      rows.append(one.sources)
    }
    #expect(Set(rows).count == 4)
  }

  @Test func evaluationReadsEveryWindowOnceAndReproducibly() throws {
    let sizes = Self.corruption().sizes(ofSource: 30)
    let tokens = Self.stream(sizes.tokens * 5 + 7)
    let loader = try SpanCorruptionEvaluationLoader(
      tokens: tokens, corruption: Self.corruption(), context: 30, sequences: 2)
    #expect(loader.batchCount == 3)
    var texts: [[TokenID]] = []
    var batches: [Batch] = []
    for index in 0..<3 {
      var batch = Batch(sequences: 2, context: sizes.target)
      try loader.fill(&batch, index: index)
      for row in 0..<batch.sequences {
        texts.append(try text(batch, row: row, sources: 30))
      }
      batches.append(batch)
      var again = Batch(sequences: 2, context: sizes.target)
      try loader.fill(&again, index: index)
      #expect(again == batch)
    }
    #expect(texts.joined().elementsEqual(try tokens.ids(in: 0..<5 * sizes.tokens)))
    #expect(throws: DatasetError.self) {
      try SpanCorruptionEvaluationLoader(
        tokens: Self.stream(10), corruption: Self.corruption(), context: 30, sequences: 2)
    }
  }
}
