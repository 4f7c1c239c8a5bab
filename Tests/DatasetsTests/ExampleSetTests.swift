import Testing
import Tokenizers

@testable import Datasets

struct ExampleSetTests {
  private static let chat = ChatEncoder(.plain, tokenizer: Bytes())

  private static func conversation(_ question: String, _ answer: String) -> Record {
    .conversation(Conversation([Message(.user, question), Message(.assistant, answer)]))
  }

  private static func set(
    _ records: [Record], context: Int = 8, truncates: Bool = false, skipsBad: Bool = false
  ) throws -> ExampleSet {
    try ExampleSet(
      located(records), chat: chat,
      options: ExampleOptions(context: context, truncates: truncates, skipsBad: skipsBad))
  }

  @Test func aConversationThatTheTemplateRefusesIsABadRecord() throws {
    let source =
      "{% for m in messages %}{% if m.content == 'q' %}{{ raise_exception('not that') }}{% endif %}"
      + "{{ m.content + eos_token }}{% endfor %}"
    let template = ChatTemplate.published(
      try PublishedTemplate(
        source, specialTokens: [.init(name: "eos_token", text: "<|endoftext|>")], path: "here"))
    let chat = ChatEncoder(template, tokenizer: ByteTokenizer())
    let records = located([Self.conversation("q", "a"), Self.conversation("p", "a")])
    let defect = RecordDefect.unrendered(
      reason: "the chat template refuses it at line 1: not that")
    #expect(throws: DatasetError.badRecord(defect, at: records[0].place)) {
      try ExampleSet(records, chat: chat, options: ExampleOptions(context: 8))
    }
    let set = try ExampleSet(
      records, chat: chat, options: ExampleOptions(context: 8, skipsBad: true))
    #expect(set.examples.count == 1 && set.statistics.skipped.count == 1)
    #expect(set.examples[0].ids == [112, 256, 97, 256])
    #expect(set.endOfTurn == 256)
  }

  @Test func longExamplesAreLeftOutOrTruncated() throws {
    // Question, line feed, answer, end: nine ids fill a context of eight.
    let fits = Self.conversation("q", "abcdef")
    let long = Self.conversation("q", "abcdefg")
    let set = try Self.set([fits, long])
    #expect(set.examples.count == 1)
    #expect(set.examples[0].ids == Array("q\nabcdef".utf8).map { TokenID($0) } + [256])
    let statistics = set.statistics
    #expect(statistics.examples == 1 && statistics.dropped == 1 && statistics.truncated == 0)
    #expect(statistics.tokens == 9 && statistics.lossTokens == 7)
    let cut = try Self.set([fits, long], truncates: true)
    #expect(cut.statistics.truncated == 1 && cut.examples[1].ids.count == 9)
    #expect(cut.examples[1].ids.last == TokenID(UInt8(ascii: "g")))
    // All examples are cut, so the loss mask includes no end of turn.
    let endless = try Self.set([long], truncates: true)
    #expect(throws: DatasetError.invalidLossMask(.noEndOfTurn(truncated: 1))) {
      try ExampleLoader(endless, context: 8, sequences: 1, microBatches: 1, seed: 1)
    }
    #expect(throws: DatasetError.allTooLong(examples: 1, context: 8)) { try Self.set([long]) }
  }

  @Test func aPromptWithoutRoomForAnAnswerIsABadRecord() throws {
    let fits = Self.conversation("q", "a")
    // Eight tokens of prompt: the ninth is the first of the answer.
    #expect(try Self.set([Self.conversation("1234567", "a")], truncates: true).examples.count == 1)
    let long = Self.conversation("12345678", "a")
    let error = DatasetError.badRecord(
      .promptTooLong(tokens: 9, context: 8), at: RecordPlace(path: "a.jsonl", line: 2))
    for truncates in [false, true] {
      #expect(throws: error) { try Self.set([fits, long], truncates: truncates) }
    }
    let kept = try Self.set([fits, long], skipsBad: true)
    #expect(kept.examples.count == 1 && kept.statistics.skipped.first == [error])
    #expect(
      kept.statistics.description
        == "1 example of 4 tokens, 2 of them in the loss (50.0 %); 1 bad record left out, the first "
        + "because a.jsonl:2 has a prompt of 9 tokens, which leaves no room for an answer in a "
        + "context of 8; shorten it or raise the context")
  }

  /// The context is 8: of a conversation that does not fit, what follows the last answer is cut.
  @Test func whatFollowsTheLastAnswerIsCutWhereItDoesNotFit() throws {
    for (last, count) in [("r", 6), ("12345678", 4)] {
      let messages = [Message(.user, "q"), Message(.assistant, "a"), Message(.user, last)]
      let examples = try Self.set([.conversation(Conversation(messages))]).examples
      #expect(examples.length(of: 0) == count && examples[0].lossMask.count { $0 } == 2)
    }
  }

  @Test func examplesWithoutALossMaskReportNoTokensInTheLoss() {
    var statistics = ExampleStatistics()
    (statistics.examples, statistics.tokens) = (3, 81)
    #expect(statistics.description == "3 examples of 81 tokens")
  }

  /// A conversation that ends with the user is learned up to its last answer, and is a whole prompt.
  @Test func conversationThatEndsWithTheUserIsLearnedAndPrompts() throws {
    let messages = [Message(.user, "q"), Message(.assistant, "a"), Message(.user, "thanks")]
    let records = located([.conversation(Conversation(messages))])
    let set = try ExampleSet(records, chat: Self.chat, options: ExampleOptions(context: 100))
    #expect(set.statistics.lossTokens == 2 && set.statistics.tokens == 11)
    let prompts = try PromptSet(
      records, chat: Self.chat, completion: 4, options: ExampleOptions(context: 100)
    ).prompts
    #expect(try Bytes().decode(prompts[0].ids) == Array("q\na<|endoftext|>thanks\n".utf8))
    #expect(prompts[0].reference == nil)
  }

  @Test func recordsOfAnotherKindAreRefused() throws {
    let prompt = Record.prompt([Message(.user, "q")])
    let error = DatasetError.badRecord(
      .otherKind(found: "a prompt without an answer", wanted: "a conversation"),
      at: RecordPlace(path: "a.jsonl", line: 1))
    #expect(throws: error) { try Self.set([prompt]) }
    #expect(throws: DatasetError.self) { try Self.set([prompt], skipsBad: true) }
  }

  @Test func promptsComeFromEveryKindOfRecord() throws {
    let records: [Record] = [
      .prompt([Message(.user, "p")]),
      .conversation(
        Conversation([
          Message(.user, "q"), Message(.assistant, "a"), Message(.user, "r"),
          Message(.assistant, "b"),
        ])),
      .pair(
        Preference(
          prompt: [Message(.user, "s")], chosen: [Message(.assistant, "a")],
          rejected: [Message(.assistant, "b")])),
    ]
    func set(_ records: [Record], skipsBad: Bool = false) throws -> PromptSet {
      try PromptSet(
        located(records), chat: Self.chat, completion: 4,
        options: ExampleOptions(context: 10, skipsBad: skipsBad))
    }
    let prompts = try set(records).prompts
    #expect(
      try prompts.map { try Bytes().decode($0.ids) }
        == [Array("p\n".utf8), Array("q\na<|endoftext|>r\n".utf8), Array("s\n".utf8)])
    #expect(prompts.map(\.reference) == [nil, "b", nil])
    let long = Record.prompt([Message(.user, "123456")])
    let error = DatasetError.badRecord(
      .promptTooLong(tokens: 7, context: 10, answer: 4), at: RecordPlace(path: "a.jsonl", line: 1))
    #expect(throws: error) { try set([long]) }
    #expect(try set([long] + records, skipsBad: true).prompts.count == 3)
    #expect(throws: DatasetError.self) { try set([.labelled(text: "t", label: .name("a"))]) }
  }
}
