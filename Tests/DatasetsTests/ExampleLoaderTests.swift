import Testing
import Tokenizers

@testable import Datasets

struct ExampleLoaderTests {
  /// The examples of a batch, reassembled from ids and weights, and its padding of 256.
  struct Contents {
    let examples: [EncodedExample]
    let padding: Range<Int>

    init(_ batch: Batch) {
      #expect(batch.sequences == 1 && batch.starts.count == batch.inputs.count)
      examples = batch.examples.map { range in
        #expect(batch.starts[range].allSatisfy { Int($0) == range.lowerBound })
        #expect(batch.inputs[range].dropFirst() == batch.targets[range].dropLast())
        let weights = batch.weights[range]
        #expect(weights.allSatisfy { $0 == 0 || $0 == 1 })
        return EncodedExample(
          ids: [batch.inputs[range.lowerBound]] + batch.targets[range],
          lossMask: [false] + weights.map { $0 == 1 })
      }
      #expect(
        zip(batch.examples, batch.examples.dropFirst()).allSatisfy {
          $0.upperBound == $1.lowerBound
        })
      let end = batch.examples.last?.upperBound ?? 0
      padding = end..<batch.context
      #expect(batch.inputs[padding].allSatisfy { $0 == 256 })
      #expect(batch.targets[padding].allSatisfy { $0 == 256 })
      #expect(batch.weights[padding].allSatisfy { $0 == 0 })
      // Positions of the padding stay below those of the longest example.
      let longest = batch.examples.map(\.count).max() ?? 1
      #expect(padding.allSatisfy { 0..<longest ~= $0 - Int(batch.starts[$0]) })
      #expect(padding.allSatisfy { Int(batch.starts[$0]) >= end })
    }
  }

  private static func set(_ examples: [EncodedExample]) -> ExampleSet {
    ExampleSet(EncodedExamples(examples), endOfTurn: 200, padding: 256)
  }

  private static func sorted(_ examples: [EncodedExample]) -> [EncodedExample] {
    examples.sorted { a, b in
      a.ids == b.ids
        ? "\(a.lossMask)" < "\(b.lossMask)" : a.ids.lexicographicallyPrecedes(b.ids)
    }
  }

  private static func loader(
    _ examples: [EncodedExample], context: Int, sequences: Int = 1, microBatches: Int = 1,
    seed: UInt64 = 3
  ) throws -> ExampleLoader {
    try ExampleLoader(
      set(examples), context: context, sequences: sequences, microBatches: microBatches, seed: seed)
  }

  @Test(arguments: [(1, 5), (7, 5), (100, 5), (300, 40), (300, 64), (300, 63), (50, 200)])
  func everyEpochHasEveryExampleOnce(count: Int, context: Int) throws {
    let examples = randomExamples(count, longest: min(40, context + 1))
    let loader = try Self.loader(examples, context: context)
    var batch = Batch()
    for epoch in 0..<3 {
      var seen: [EncodedExample] = []
      for row in 0..<loader.rowsPerEpoch {
        loader.fill(&batch, step: epoch * loader.rowsPerEpoch + row, microBatch: 0)
        let contents = Contents(batch)
        #expect(!contents.examples.isEmpty)
        #expect(contents.padding.lowerBound <= context)
        #expect(16 * contents.padding.count <= contents.padding.lowerBound)
        seen += contents.examples
      }
      #expect(Self.sorted(seen) == Self.sorted(examples))
    }
  }

  @Test func rowsHaveLittlePadding() throws {
    let examples = randomExamples(2_000, longest: 129)
    let loader = try Self.loader(examples, context: 256)
    let targets = examples.reduce(0) { $0 + $1.ids.count - 1 }
    let share = Double(targets) / Double(loader.rowsPerEpoch * 256)
    #expect(share > 0.99, "\(share)")
    // Examples as long as the context take exactly one row each.
    let full = try Self.loader(
      (0..<5).map { _ in
        EncodedExample(ids: [1, 2, 3, 4, 200], lossMask: [false, false, false, true, true])
      }, context: 4)
    #expect(full.rowsPerEpoch == 5)
  }

  @Test func epochsAndSeedsDiffer() throws {
    let examples = randomExamples(60, longest: 5)
    func epoch(_ epoch: Int, seed: UInt64 = 3) throws -> [[EncodedExample]] {
      let loader = try Self.loader(examples, context: 8, seed: seed)
      var batch = Batch()
      return (0..<loader.rowsPerEpoch).map { row in
        loader.fill(&batch, step: epoch * loader.rowsPerEpoch + row, microBatch: 0)
        return Contents(batch).examples
      }
    }
    let first = try epoch(0)
    #expect(try first == epoch(0))
    #expect(try first != epoch(1) && first != epoch(0, seed: 4))
    // Not only the order of the rows changes, but also the examples in a row.
    #expect(try Set(first) != Set(epoch(1)))
  }

  @Test func theOrderMatchesTheGoldenValues() throws {
    // Golden values: a run resumed by a later version must get the batches that it would have had.
    let packing = ExamplePacking(lengths: [3, 9, 4, 3, 6, 3, 5, 3, 2], context: 8, seed: 42)
    let rows = (0..<2).map { epoch in
      (0..<packing.rowCount).map { packing.examples(ofRow: $0, epoch: epoch) }
    }
    #expect(
      rows == [[[1], [4, 2], [6, 3, 0], [7, 5, 8]], [[1], [4, 2], [6, 5, 3], [7, 0, 8]]])
    let order = ExampleOrder(count: 10, seed: 42)
    #expect((0..<10).map { order($0).index } == [2, 9, 3, 0, 5, 4, 7, 6, 1, 8])
    #expect((0..<4).map { order(1_000_000 + $0).index } == [5, 7, 6, 1])
    #expect(order(1_000_000).epoch == 100_000)
  }

  @Test func batchesDoNotDependOnTheWorldSize() throws {
    let examples = randomExamples(90, longest: 17)
    func batches(world: Int, resumed: Int) throws -> [[Batch]] {
      var steps = [[Batch]](
        repeating: [Batch](repeating: Batch(), count: 8), count: 12)
      for part in [0..<resumed, resumed..<12] {
        for worker in (0..<world).reversed() {
          let own = try Self.loader(examples, context: 24, sequences: 2, microBatches: 8)
          var batch = Batch()
          for step in part {
            for microBatch in worker * 8 / world..<(worker + 1) * 8 / world {
              own.fill(&batch, step: step, microBatch: microBatch)
              steps[step][microBatch] = batch
            }
          }
        }
      }
      return steps
    }
    let one = try batches(world: 1, resumed: 0)
    for (world, resumed) in [(2, 0), (3, 5), (8, 11)] {
      #expect(try batches(world: world, resumed: resumed) == one, "\(world) workers")
    }
    #expect(one[0][0] != one[0][1] && one[0][0] != one[1][0])
    let loader = try Self.loader(examples, context: 24, sequences: 2, microBatches: 8)
    #expect(loader.epochsSeen(12) == Double(12 * 16) / Double(loader.rowsPerEpoch))
  }

  @Test func reusingABatchGivesTheSameContents() throws {
    let loader = try Self.loader(randomExamples(9, longest: 6), context: 12, sequences: 2)
    var fresh = Batch()
    loader.fill(&fresh, step: 1, microBatch: 0)
    var used = Batch(sequences: 2, context: 30)
    used.weights = [Float](repeating: 7, count: 60)
    used.margins = [3]
    used.labels = [4, 5]
    used.starts = [9]
    loader.fill(&used, step: 1, microBatch: 0)
    #expect(used == fresh)
    let windows = try TrainingLoader(
      tokens: counting(500), context: 12, sequences: 2, microBatches: 1, seed: 9)
    try windows.fill(&used, step: 0, microBatch: 0)
    #expect(used.starts.isEmpty && used.examples.isEmpty && used.weights.allSatisfy { $0 == 1 })
  }

  @Test(arguments: [1, 32, 64, 5_000])
  func evaluationSeesEveryExampleOnceInOrder(tokens: Int) throws {
    let examples = randomExamples(100, longest: 20)
    let loader = try ExampleEvaluationLoader(Self.set(examples), tokens: tokens)
    var batch = Batch()
    var seen: [EncodedExample] = []
    for index in 0..<loader.batchCount {
      loader.fill(&batch, index: index)
      let contents = Contents(batch)
      #expect(contents.examples.count == 1 || contents.padding.lowerBound <= tokens)
      seen += contents.examples
    }
    #expect(seen == examples)
    #expect(tokens < 5_000 || loader.batchCount == 1)
    #expect(throws: DatasetError.nothingToEvaluate) {
      try ExampleEvaluationLoader(Self.set([]), tokens: 8)
    }
  }

  @Test func invalidLossMasksAreRefused() throws {
    func mask(_ flags: [Bool]) -> DatasetError? {
      let example = EncodedExample(ids: [1, 2, 200], lossMask: flags)
      do {
        _ = try Self.loader([example], context: 8)
        return nil
      } catch { return error as? DatasetError }
    }
    #expect(mask([false, false, false]) == .invalidLossMask(.nothing))
    #expect(mask([true, true, true]) == .invalidLossMask(.everything))
    #expect(mask([false, true, false]) == .invalidLossMask(.noEndOfTurn(truncated: 0)))
    #expect(mask([false, false, true]) == nil)
  }

  /// Lengths are rounded to few values, with at most one position in 16 of padding.
  @Test func lengthsAreRoundedToFewValues() {
    let lengths = (1...4096).map(Batch.roundedLength)
    #expect(zip(1..., lengths).allSatisfy { $0 <= $1 && 16 * ($1 - $0) < max(16, $0) })
    #expect(zip(lengths, lengths.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(lengths[..<32] == Array(1...32)[...] && lengths[2006] == 2048 && lengths[1024] == 1088)
    #expect(Set(lengths).count == 16 + 16 * 8)
  }
}
