import Testing
import Tokenizers

@testable import Datasets

/// Masking with a small tokenizer: ids 0…4 are special, 5…49 begin a word, the others continue one.
@Suite struct MaskedTokenLoaderTests {
  private struct Words: Tokenizer {
    static let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    var withoutMask = false
    let vocabularySize = 100
    let endOfText: TokenID = 3

    func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenID] { bytes.map { TokenID($0) } }

    func bytes(of id: TokenID) throws(TokenizerError) -> [UInt8] {
      if isSpecial(id) { return Array(Self.special[Int(id)].utf8) }
      return id < 50 ? [0x20, 0x61] : [0x61]
    }

    func isSpecial(_ id: TokenID) -> Bool { id < (withoutMask ? 4 : 5) }
  }

  /// Words of one to four tokens, in several documents.
  private static let tokens = TokenStream(
    (0..<4_000).map(token), vocabularySize: 100, endOfText: 3)

  private static func token(_ place: Int) -> TokenID {
    if place % 97 == 96 { return 3 }
    let beginsWord = place % 4 == 0 || place % 7 == 0
    return beginsWord ? TokenID(5 + place % 45) : TokenID(50 + place % 50)
  }

  private static func masking(
    fraction: Float = 0.15, wholeWords: Bool = false
  ) throws -> TokenMasking {
    try #require(TokenMasking(Words(), fraction: fraction, wholeWords: wholeWords))
  }

  /// Returns the batches of `steps` steps of four micro-batches.
  private func batches(
    _ masking: TokenMasking, context: Int = 32, steps: Int = 25
  ) throws -> [Batch] {
    let loader = try MaskedTokenLoader(
      tokens: Self.tokens, masking: masking, context: context, sequences: 8, microBatches: 4,
      seed: 5)
    return try (0..<steps).flatMap { step in
      try (0..<4).map { index in
        var batch = Batch(sequences: 8, context: context)
        batch.starts = [1]
        try loader.fill(&batch, step: step, microBatch: index)
        return batch
      }
    }
  }

  @Test func rowsAreWindowsBetweenSpecialTokens() throws {
    let windows = try TrainingWindows(
      tokens: Self.tokens, context: 30, sequences: 8, microBatches: 4, seed: 5)
    for (number, batch) in try batches(Self.masking()).enumerated() {
      #expect(batch.starts.isEmpty)
      for row in 0..<8 {
        let targets = batch.targets[row * 32..<row * 32 + 32]
        let (_, start) = windows(step: number / 4, microBatch: number % 4, row: row)
        #expect(try Array(targets) == [2] + Self.tokens.ids(in: start..<start + 30) + [3])
      }
    }
  }

  /// Over 25,600 tokens, the counts are within five standard deviations.
  @Test(arguments: [0.15, 0.4] as [Float])
  func targetsAreMaskedReplacedAndKeptAtTheirRates(fraction: Float) throws {
    var ordinary = 0.0, targets = 0.0, masked = 0.0, replaced = 0.0, kept = 0.0
    var replacements: [TokenID: Int] = [:]
    for batch in try batches(Self.masking(fraction: fraction)) {
      for place in batch.inputs.indices {
        let (input, target) = (batch.inputs[place], batch.targets[place])
        if target >= 5 { ordinary += 1 }
        guard batch.weights[place] != 0 else {
          #expect(input == target)
          continue
        }
        #expect(batch.weights[place] == 1 && target >= 5)
        targets += 1
        if input != 4, input != target { replacements[input, default: 0] += 1 }
        if input == 4 { masked += 1 } else if input == target { kept += 1 } else { replaced += 1 }
        #expect(input >= 4)
      }
    }
    // Replacements are drawn from all ordinary tokens, none much more often than others.
    #expect(replacements.count > 85)
    #expect((replacements.values.max() ?? 0) < 20 * Int(replaced) / 95)
    func agrees(_ count: Double, of all: Double, _ fraction: Double) -> Bool {
      let std: Double = (all * fraction * (1 - fraction)).squareRoot()
      return abs(count - all * fraction) <= 5 * std
    }
    #expect(agrees(targets, of: ordinary, Double(fraction)))
    #expect(agrees(masked, of: targets, 0.8))
    // One replacement in 95 is the original token.
    #expect(agrees(kept, of: targets, 0.1 + 0.1 / 95))
    #expect(agrees(replaced, of: targets, 0.1 - 0.1 / 95))
  }

  @Test func wordsAreMaskedWhole() throws {
    var (words, cut, targets) = (0, 0, 0)
    for batch in try batches(Self.masking(wholeWords: true)) {
      for place in batch.inputs.indices where batch.targets[place] >= 50 {
        let before = batch.targets[place - 1]
        guard before >= 5 else { continue }
        #expect(batch.weights[place] == batch.weights[place - 1])
        words += 1
      }
      targets += batch.weights.count { $0 != 0 }
    }
    for batch in try batches(Self.masking()) {
      for place in batch.inputs.indices where batch.targets[place] >= 50 {
        cut +=
          batch.targets[place - 1] >= 5 && batch.weights[place] != batch.weights[place - 1] ? 1 : 0
      }
    }
    #expect(words > 1_000 && cut > 100)
    #expect((3_000..<4_700).contains(targets), "\(targets)")
  }

  @Test func everyRowHasATarget() throws {
    for batch in try batches(Self.masking(fraction: 0.01), context: 4) {
      for row in 0..<8 {
        let places = row * 4..<row * 4 + 4
        let isEmpty = batch.targets[places].allSatisfy { $0 < 5 }
        #expect(isEmpty || batch.weights[places].contains(1))
      }
    }
  }

  /// Masks are a function of seed, step and micro-batch, and differ at every visit of a window.
  @Test func masksDifferAtEveryVisitAndAreReproducible() throws {
    let masking = try Self.masking()
    #expect(try batches(masking) == batches(masking))
    let all = try batches(masking, steps: 40)
    var masks: [[TokenID]: Set<[Float]>] = [:]
    for batch in all {
      for row in 0..<8 {
        let places = row * 32..<row * 32 + 32
        masks[Array(batch.targets[places]), default: []].insert(Array(batch.weights[places]))
      }
    }
    #expect(Set(all.map(\.weights)).count == all.count)
    #expect(masks.values.count { $0.count > 1 } >= masks.values.count { $0.count == 1 } / 50)
  }

  @Test func theMasksMatchTheGoldenValues() throws {
    // Golden values from a Philox in Python: a run resumed by a later version must get the batches that
    // it would have had.
    let batch = try batches(Self.masking(), context: 16, steps: 1)[1]
    #expect(
      batch.weights.indices.filter { batch.weights[$0] != 0 }
        == [6, 7, 17, 28, 30, 34, 38, 41, 55, 56, 60, 71, 72, 75, 81, 82, 103, 108, 121])
    #expect(
      Array(batch.inputs[0..<16])
        == [2, 6, 57, 8, 59, 60, 85, 4, 13, 64, 65, 16, 67, 68, 69, 3])
  }

  @Test func evaluationBatchesAreReproducible() throws {
    let masking = try Self.masking()
    let loader = try MaskedTokenEvaluationLoader(
      tokens: Self.tokens, masking: masking, context: 32, sequences: 8)
    #expect(loader.batchCount == 17)
    var seen: [TokenID] = []
    for index in 0..<loader.batchCount {
      var (first, second) = (Batch(), Batch())
      try loader.fill(&first, index: index)
      try loader.fill(&second, index: index)
      #expect(first == second)
      for row in 0..<first.sequences {
        let places = row * 32..<row * 32 + 32
        seen += first.targets[places].dropFirst().dropLast()
      }
    }
    #expect(try seen == Self.tokens.ids(in: 0..<3_990))
    let some = try MaskedTokenEvaluationLoader(
      tokens: Self.tokens, masking: masking, context: 32, sequences: 8, tokenLimit: 800)
    #expect(some.batchCount == 3)
  }

  @Test func tokenizersWithoutMaskAndShortTextsAreRefused() throws {
    #expect(TokenMasking(Words(withoutMask: true)) == nil)
    #expect(TokenMasking(ByteTokenizer()) == nil)
    let short = TokenStream([5, 6, 7], vocabularySize: 100, endOfText: 3)
    let masking = try Self.masking()
    #expect(throws: DatasetError.corpusTooShort(tokens: 3, context: 6)) {
      try MaskedTokenLoader(
        tokens: short, masking: masking, context: 8, sequences: 1, microBatches: 1, seed: 1)
    }
    #expect(throws: DatasetError.corpusTooShort(tokens: 3, context: 6, use: .validation)) {
      try MaskedTokenEvaluationLoader(tokens: short, masking: masking, context: 8, sequences: 1)
    }
  }
}
