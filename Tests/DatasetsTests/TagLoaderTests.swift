import Testing
import Tokenizers

@testable import Datasets

@Suite struct TagLoaderTests {
  /// A tokenizer with one token per letter and [CLS] and [SEP] around a text.
  private struct Letters: Tokenizer {
    let vocabularySize = 128
    let endOfText: TokenID = 2

    func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenID] { bytes.map { TokenID($0) } }
    func encodeWithSpecialTokens(_ text: String) -> [TokenID] { [1] + encode(text) + [2] }
    func bytes(of id: TokenID) throws(TokenizerError) -> [UInt8] { [UInt8(id)] }
    func isSpecial(_ id: TokenID) -> Bool { id < 5 }
  }

  private func set(
    _ lines: String..., classes: [String]? = nil, context: Int = 12, truncates: Bool = false
  ) throws -> TagSet {
    let scratch = try Scratch()
    let path = try scratch.write("tags.jsonl", lines.joined(separator: "\n") + "\n")
    return try TagSet(
      RecordSet(reading: [path], validation: .fraction(0)).train, tokenizer: Letters(),
      classes: classes, options: ExampleOptions(context: context, truncates: truncates),
      padding: 0)
  }

  private static let first = #"{"tokens": ["ab", "c"], "tags": ["B-X", "O"]}"#
  private static let second = #"{"tokens": ["d", "efg", "h"], "tags": ["O", "B-X", "I-X"]}"#

  @Test func theFirstTokenOfAWordHasItsTag() throws {
    let set = try set(Self.first, Self.second)
    #expect(set.classes == ["B-X", "I-X", "O"])
    #expect(set.statistics.tokens == 12 && set.statistics.lossTokens == 5)
    var batch = Batch()
    let loader = SetEvaluationLoader(set, sequences: 3)
    #expect(loader.batchCount == 1 && loader.set.classes == set.classes)
    loader.fill(&batch, index: 0)
    #expect(batch.inputs[0..<5] == [1, 97, 98, 99, 2])
    #expect(batch.weights[0..<5] == [0, 1, 0, 1, 0])
    #expect(batch.targets[1] == 0 && batch.targets[3] == 2)
    #expect(batch.starts == [0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 5, 5])
    #expect(batch.weights[5...] == [0, 1, 1, 0, 0, 1, 0])
    #expect([6, 7, 10].map { batch.targets[$0] } == [2, 0, 1])
  }

  @Test func everyEpochHasEveryTextOnce() throws {
    let set = try set(Self.first, Self.second)
    let loader = SetLoader(set, sequences: 1, microBatches: 2, seed: 3)
    var batch = Batch()
    for step in 0..<5 {
      let seen = (0..<2).map { index in
        loader.fill(&batch, step: step, microBatch: index)
        return batch.inputs[1]
      }
      #expect(Set(seen) == [97, 100])
    }
    #expect(loader.epochsSeen(5) == 5)
  }

  @Test func longTextsLoseTheirLastWords() throws {
    let cut = try set(Self.second, Self.first, context: 5, truncates: true)
    #expect(cut.statistics.truncated == 1)
    var batch = Batch()
    SetEvaluationLoader(cut, sequences: 1).fill(&batch, index: 0)
    #expect(batch.inputs == [1, 100, 101, 102, 2] && batch.weights == [0, 1, 1, 0, 0])
    let dropped = try set(Self.second, Self.first, context: 5)
    #expect(dropped.count == 1 && dropped.statistics.dropped == 1)
  }

  @Test func badRecordsAreRefused() throws {
    #expect(throws: DatasetError.self) {
      try set(#"{"tokens": ["a", "b"], "tags": ["O"]}"#, Self.first)
    }
    #expect(throws: DatasetError.self) { try set(#"{"tokens": "a b", "tags": ["O"]}"#) }
    #expect(throws: DatasetError.self) { try set(#"{"tokens": [" "], "tags": ["O"]}"#) }
    #expect(throws: DatasetError.self) { try set(Self.first, classes: ["O", "B-Y"]) }
    #expect(throws: DatasetError.self) { try set(#"{"text": "a", "label": "b"}"#) }
    #expect(throws: DatasetError.oneClass("O")) { try set(#"{"tokens": ["a"], "tags": ["O"]}"#) }
    #expect(throws: DatasetError.oneClassGiven("O")) {
      try set(#"{"tokens": ["a"], "tags": ["O"]}"#, classes: ["O"])
    }
    // A number is the index of a tag that is called by a word.
    let indices = try set(#"{"tokens": ["a", "b"], "tags": [1, 0]}"#, classes: ["O", "B-X"])
    #expect(indices.classes == ["O", "B-X"] && indices.count == 1)
    // Numbers count as names.
    #expect(try set(#"{"tokens": ["a", "b"], "tags": [3, 0]}"#).classes == ["0", "3"])
  }
}
