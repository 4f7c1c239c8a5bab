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

  @Test func aPairFillsTwoRows() throws {
    let set = try Self.set(3)
    let loader = RowEvaluationLoader(set, context: 16, sequences: 6)
    var batch = Batch(sequences: 6, context: 16)
    loader.fill(&batch, index: 0)
    for i in 0..<3 {
      for (row, letter) in [(2 * i, "a"), (2 * i + 1, "b")] {
        let text = Array("q\(i)\n".utf8) + Array(String(repeating: letter, count: 1 + i).utf8)
        let ids = text.map { TokenID($0) } + [256]
        let first = row * 16
        #expect(Array(batch.inputs[first..<first + 16]) == padded(ids))
        #expect(Array(batch.targets[first..<first + 16]) == padded(Array(ids.dropFirst())))
        // The answer's first byte is the target of the line feed, its end that of the last byte.
        let weights = (0..<16).map { Float($0 >= 2 && $0 < ids.count - 1 ? 1 : 0) }
        #expect(Array(batch.weights[first..<first + 16]) == weights)
        #expect(batch.lengths[row] == Int32(ids.count))
        #expect(batch.inputs[first + Int(batch.lengths[row]) - 1] == Self.chat.endOfTurn)
      }
    }
    #expect(batch.margins == [0, 1, 0] && batch.starts.isEmpty && batch.labels.isEmpty)
  }

  private func padded(_ ids: [TokenID]) -> [TokenID] {
    ids + [TokenID](repeating: 256, count: 16 - ids.count)
  }

  @Test func everyEpochHasEveryPairOnce() throws {
    let set = try Self.set(21)
    let loader = RowLoader(set, context: 16, sequences: 6, microBatches: 1, seed: 5)
    var batch = Batch(sequences: 6, context: 16)
    for epoch in 0..<3 {
      let steps = epoch * 7..<(epoch + 1) * 7
      var seen: [Int] = []
      for step in steps {
        let indices = loader.indices(step: step, microBatch: 0)
        loader.fill(&batch, step: step, microBatch: 0)
        var same = Batch(sequences: 6, context: 16)
        same.lengths = [Int32](repeating: 0, count: 6)
        same.margins = [0, 0, 0]
        for (i, index) in indices.enumerated() { set.fill(&same, row: 2 * i, with: index) }
        #expect(batch == same)
        seen += indices
      }
      #expect(seen.sorted() == Array(0..<21) && seen != seen.sorted())
    }
    #expect(loader.epochsSeen(14) == 2)
    let other = RowLoader(set, context: 16, sequences: 2, microBatches: 2, seed: 5)
    #expect(
      (0..<3).map { other.indices(step: $0 / 2, microBatch: $0 % 2)[0] }
        == loader.indices(step: 0, microBatch: 0))
  }

  @Test func evaluationSeesEveryPairOnceInOrder() throws {
    let set = try Self.set(7)
    let loader = RowEvaluationLoader(set, context: 16, sequences: 6)
    #expect(loader.batchCount == 3)
    #expect((0..<3).map(loader.range) == [0..<3, 3..<6, 6..<7])
    var batch = Batch(sequences: 6, context: 16)
    loader.fill(&batch, index: 2)
    #expect(batch.lengths[2...] == [1, 1, 1, 1] && batch.margins == [0, 0, 0])
    #expect(batch.weights[32...].allSatisfy { $0 == 0 })
    #expect(batch.inputs[32...].allSatisfy { $0 == 256 })
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
