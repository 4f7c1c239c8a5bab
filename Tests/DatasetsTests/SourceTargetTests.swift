import Testing
import Tokenizers

@testable import Datasets

/// Prompts with their completions as sources and targets.
@Suite struct SourceTargetTests {
  private func records(_ pairs: [(String, String)]) -> [LocatedRecord] {
    pairs.enumerated().map { index, pair in
      LocatedRecord(
        .conversation(Conversation([Message(.user, pair.0), Message(.assistant, pair.1)])),
        at: RecordPlace(path: "pairs.jsonl", line: index + 1))
    }
  }

  private func set(
    _ pairs: [(String, String)], context: Int = 8, truncates: Bool = false
  ) throws -> SourceTargetSet {
    try SourceTargetSet(
      records(pairs), tokenizer: Bytes(), start: 7, padding: 9,
      options: ExampleOptions(context: context, truncates: truncates))
  }

  private func ids(_ text: String) -> [TokenID] { Bytes().encode(text) }

  @Test func rowsHaveSourceAndTarget() throws {
    let set = try set([("ab", "xyz"), ("c", "")])
    #expect(set.statistics.examples == 2)
    #expect(set.statistics.lossTokens == 5 && set.statistics.tokens == 10)
    let loader = SetEvaluationLoader(set, sequences: 2)
    var batch = Batch()
    loader.fill(&batch, index: 0)
    // Both are padded to the longest of the batch.
    #expect(batch.sources == ids("ab") + [256] + ids("c") + [256, 9])
    #expect(batch.sourceLengths == [3, 2])
    #expect(batch.inputs == [7] + ids("xyz") + [7, 256, 9, 9])
    #expect(Array(batch.targets.prefix(4)) == ids("xyz") + [256])
    #expect(batch.weights == [1, 1, 1, 1, 1, 0, 0, 0])
  }

  @Test func longExamplesAreLeftOutOrTruncated() throws {
    let pairs = [("ab", "x"), ("12345678", "x"), ("a", "12345678")]
    let strict = try set(pairs)
    #expect(strict.statistics.examples == 1 && strict.statistics.dropped == 2)
    let cut = try set(pairs, truncates: true)
    #expect(cut.statistics.examples == 3 && cut.statistics.truncated == 2)
    // A truncated source keeps its end-of-text, a truncated target has none.
    #expect(cut.examples[1].source == ids("1234567") + [256])
    #expect(cut.examples[2].target == ids("12345678"))
    #expect(throws: DatasetError.self) { try set([("123456789", "x")]) }
  }

  @Test func otherRecordsAreRefused() throws {
    let conversation = LocatedRecord(
      .conversation(
        Conversation([
          Message(.user, "a"), Message(.assistant, "b"), Message(.user, "c"),
          Message(.assistant, "d"),
        ])), at: RecordPlace(path: "pairs.jsonl", line: 4))
    let error = #expect(throws: DatasetError.self) {
      try SourceTargetSet(
        [conversation], tokenizer: Bytes(), start: 0, padding: 0,
        options: ExampleOptions(context: 8))
    }
    let sentence = error.map { "\($0)" } ?? ""
    #expect(sentence.contains("pairs.jsonl:4") && sentence.contains("a prompt with its completion"))
  }

  /// Every epoch has every example once, in its own order; an evaluation has each example once.
  @Test func everyEpochHasEveryExampleOnce() throws {
    let set = try set((0..<10).map { ("\($0)", "x") })
    let loader = SetLoader(set, sequences: 1, microBatches: 2, seed: 3)
    var batch = Batch()
    let epochs = (0..<2).map { epoch in
      (0..<10).map { place in
        loader.fill(&batch, step: epoch * 5 + place / 2, microBatch: place % 2)
        return batch.sources[0]
      }
    }
    #expect(epochs.allSatisfy { Set($0) == Set(ids("0123456789")) })
    #expect(epochs[0] != epochs[1] && loader.epochsSeen(5) == 1)
    let evaluation = SetEvaluationLoader(set, sequences: 4)
    #expect(evaluation.batchCount == 3)
    var rows = Batch()
    let seen = (0..<3).flatMap { index in
      evaluation.fill(&rows, index: index)
      return (0..<rows.sequences).map { rows.sources[$0 * rows.sources.count / rows.sequences] }
    }
    #expect(seen == ids("0123456789"))
  }
}
