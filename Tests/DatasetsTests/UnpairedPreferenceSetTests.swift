import Testing
import Tokenizers

@testable import Datasets

struct UnpairedPreferenceSetTests {
  private static let chat = ChatEncoder(.plain, tokenizer: Bytes())

  private func judged(_ prompt: String, _ answer: String, _ isDesirable: Bool) -> Record {
    .unpaired(
      UnpairedPreference(
        prompt: [Message(.user, prompt)], answer: [Message(.assistant, answer)],
        isDesirable: isDesirable))
  }

  private func set(_ records: [Record], context: Int = 8) throws -> UnpairedPreferenceSet {
    try UnpairedPreferenceSet(
      located(records), chat: Self.chat, options: ExampleOptions(context: context))
  }

  /// Every prompt with its own answer, then with the answer before it in the batch.
  @Test func aBatchHasMatchedAndMismatchedAnswers() throws {
    let set = try set([judged("p", "a", true), judged("qq", "bb", false), judged("r", "ccc", true)])
    var batch = Batch()
    set.fill(&batch, with: [1, 2, 0])
    func texts(_ batch: Batch) -> [String] {
      batch.examples.map { places in
        String(decoding: batch.inputs[places].map { $0 < 256 ? UInt8($0) : 0x2E }, as: UTF8.self)
      }
    }
    #expect(texts(batch) == ["qq\nbb.", "r\nccc.", "p\na.", "qq\na.", "r\nbb.", "p\nccc."])
    #expect(batch.labels == [0, 1, 1])
    // The targets of the answer and its end are in the loss.
    let losses = batch.examples.map { batch.weights[$0].reduce(0, +) }
    #expect(losses == [3, 4, 2, 2, 3, 4])
    let mismatched = batch.part(3..<6)
    #expect(texts(mismatched) == ["qq\na.", "r\nbb.", "p\nccc."])
    #expect(mismatched.weights.reduce(0, +) == 9 && mismatched.labels.isEmpty)
    for place in mismatched.examples[1] {
      let own = place - mismatched.examples[1].lowerBound + batch.examples[4].lowerBound
      #expect(mismatched.targets[place] == batch.targets[own])
    }
  }

  @Test func aMismatchedAnswerIsCutToTheContext() throws {
    let set = try set([judged("ppppp", "a", true), judged("r", "ccccc", false)])
    var batch = Batch()
    set.fill(&batch, with: [0, 1])
    #expect(batch.examples.map(\.count) == [8, 8, 8, 4])
  }

  @Test func otherRecordsAndLongAnswersAreNotUsed() throws {
    let conversation = Record.conversation([Message(.user, "q"), Message(.assistant, "a")])
    let error = #expect(throws: DatasetError.self) { try set([conversation]) }
    #expect(
      error?.description.contains("an answer with a label, good or bad, is needed here") == true)
    #expect(throws: DatasetError.self) {
      try ExampleSet(
        located([judged("q", "a", false)]), chat: Self.chat, options: ExampleOptions(context: 8))
    }
    let kept = try set([judged("q", "a", true), judged("q", "aaaaaaaa", true)])
    #expect(kept.count == 1 && kept.statistics.dropped == 1)
  }
}
