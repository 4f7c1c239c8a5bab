import Testing
import Tokenizers

@testable import Datasets

struct PairLoaderTests {
  private static let chat = ChatEncoder(.plain, tokenizer: Bytes())

  private static func pair(_ i: Int, margin: Double? = nil) -> Record {
    .pair(
      Preference(
        prompt: [Message(.user, "q\(i)")],
        chosen: [Message(.assistant, String(repeating: "a", count: 1 + i % 5))],
        rejected: [Message(.assistant, String(repeating: "b", count: 1 + i % 7))], margin: margin))
  }

  private static func set(_ count: Int, context: Int = 16) throws -> PairSet {
    try PairSet(
      located((0..<count).map { pair($0, margin: $0 % 2 == 0 ? nil : Double($0)) }), chat: chat,
      options: ExampleOptions(context: context))
  }

  @Test func aPairIsTwoExamples() throws {
    let set = try Self.set(3)
    let loader = SetEvaluationLoader(set, sequences: 6)
    var batch = Batch()
    loader.fill(&batch, index: 0)
    #expect(batch.examples.count == 6)
    for i in 0..<3 {
      for (example, letter) in [(2 * i, "a"), (2 * i + 1, "b")] {
        let text = Array("q\(i)\n".utf8) + Array(String(repeating: letter, count: 1 + i).utf8)
        let ids = text.map { TokenID($0) } + [256]
        let places = batch.examples[example]
        #expect(Array(batch.inputs[places]) == ids)
        #expect(Array(batch.targets[places]) == ids.dropFirst() + [256])
        // The answer's first byte is the target of the line feed, its end that of the last byte.
        let weights = ids.indices.map { Float($0 >= 2 && $0 < ids.count - 1 ? 1 : 0) }
        #expect(Array(batch.weights[places]) == weights)
        #expect(batch.starts[places].allSatisfy { Int($0) == places.lowerBound })
        #expect(batch.inputs[places.upperBound - 1] == Self.chat.endOfTurn)
      }
    }
    #expect(batch.margins == [0, 1, 0] && batch.labels.isEmpty)
    // Without the padding of every pair to one length.
    #expect(batch.inputs.count == 36 && batch.examples.last?.upperBound == 36)
    var swapped = Batch()
    set.swapped.fill(&swapped, with: [1])
    #expect(swapped.inputs[swapped.examples[0]] == batch.inputs[batch.examples[3]])
    #expect(swapped.inputs[swapped.examples[1]] == batch.inputs[batch.examples[2]][...])
  }

  @Test func everyEpochHasEveryPairOnce() throws {
    let set = try Self.set(21)
    let loader = SetLoader(set, sequences: 6, microBatches: 1, seed: 5)
    var batch = Batch()
    for epoch in 0..<3 {
      let steps = epoch * 7..<(epoch + 1) * 7
      var seen: [Int] = []
      for step in steps {
        let indices = loader.indices(step: step, microBatch: 0)
        loader.fill(&batch, step: step, microBatch: 0)
        var same = Batch()
        set.fill(&same, with: indices)
        #expect(batch == same)
        seen += indices
      }
      #expect(seen.sorted() == Array(0..<21) && seen != seen.sorted())
    }
    #expect(loader.epochsSeen(14) == 2)
    let other = SetLoader(set, sequences: 2, microBatches: 2, seed: 5)
    #expect(
      (0..<3).map { other.indices(step: $0 / 2, microBatch: $0 % 2)[0] }
        == loader.indices(step: 0, microBatch: 0))
  }

  @Test func evaluationSeesEveryPairOnceInOrder() throws {
    let set = try Self.set(7)
    let loader = SetEvaluationLoader(set, sequences: 6)
    #expect(loader.batchCount == 3)
    #expect((0..<3).map(loader.range) == [0..<3, 3..<6, 6..<7])
    var batch = Batch()
    loader.fill(&batch, index: 2)
    #expect(batch.examples.count == 2 && batch.margins == [0])
  }

  @Test func longPairsAreLeftOut() throws {
    func set(_ records: [Record], truncates: Bool = false, skipsBad: Bool = false) throws -> PairSet
    {
      try PairSet(
        located(records), chat: Self.chat,
        options: ExampleOptions(context: 8, truncates: truncates, skipsBad: skipsBad))
    }
    func pair(_ prompt: String, _ chosen: String, _ rejected: String) -> Record {
      .pair(
        Preference(
          prompt: [Message(.user, prompt)], chosen: [Message(.assistant, chosen)],
          rejected: [Message(.assistant, rejected)]))
    }
    let fits = pair("q", "abcde", "b")
    let long = pair("q", "abcdef", "b")
    let dropped = try set([fits, long])
    #expect(dropped.count == 1 && dropped.statistics.dropped == 1)
    #expect(dropped.statistics.tokens == 8 + 4 && dropped.statistics.lossTokens == 6 + 2)
    // An answer is never truncated, even with `truncates`.
    let asked = try set([fits, long], truncates: true)
    #expect(asked.chosen == dropped.chosen && asked.statistics == dropped.statistics)
    let tooLong = pair("question", "a", "b")
    let error = DatasetError.badRecord(
      .promptTooLong(tokens: 9, context: 8), at: RecordPlace(path: "a.jsonl", line: 2))
    #expect(throws: error) { try set([fits, tooLong]) }
    #expect(try set([fits, tooLong], skipsBad: true).statistics.skipped.first == [error])
    #expect(throws: DatasetError.allTooLong(examples: 1, context: 8)) { try set([long]) }
    #expect(throws: DatasetError.self) { try set([.prompt([Message(.user, "q")])]) }
  }
}
