import Testing
import Tokenizers

@testable import Datasets

/// The chat template decides about the order of roles, as with transformers.
struct RecordOrderTests {
  private static let chat = ChatEncoder(.plain, tokenizer: ByteTokenizer())

  private static func messages(_ roles: String) -> [Message] {
    let known: [Character: Role] = ["s": .system, "u": .user, "a": .assistant, "t": .tool]
    return roles.enumerated().map { Message(known[$1] ?? .user, "\($1)\($0)") }
  }

  private static func json(_ messages: [Message]) -> String {
    "["
      + messages.map { #"{"role": "\#($0.role)", "content": "\#($0.content)"}"# }
      .joined(separator: ", ") + "]"
  }

  private static func set(_ record: Record, _ chat: ChatEncoder) throws -> ExampleSet {
    try ExampleSet(located([record]), chat: chat, options: ExampleOptions(context: 64))
  }

  @Test(arguments: ["a", "au", "sa", "uua", "uaa", "uaua", "usa", "ssua", "uas", "uta", "ta"])
  func everyAnswerIsLearnedInAnyOrder(roles: String) throws {
    let messages = Self.messages(roles)
    let record = try RecordFormTests.record(#"{"messages": \#(Self.json(messages))}"#)
    #expect(record == .conversation(Conversation(messages)))
    let example = try Self.set(record, Self.chat).examples[0]
    let learned = zip(example.ids, example.lossMask).filter(\.1).map(\.0)
    let answers = messages.filter { $0.role == .assistant }
    #expect(learned == answers.flatMap { $0.content.utf8.map { TokenID($0) } + [256] })
  }

  @Test func answersInAPromptBelongToIt() throws {
    for roles in ["u", "ua", "uau", "au", "s", "uaa"] {
      let messages = Self.messages(roles)
      let record = try RecordFormTests.record(#"{"prompt": \#(Self.json(messages))}"#)
      #expect(record == .prompt(Conversation(messages)))
      let prompts = try PromptSet(
        located([record]), chat: Self.chat, completion: 4, options: ExampleOptions(context: 64))
      #expect(prompts.prompts[0].messages == messages && prompts.prompts[0].reference == nil)
    }
  }

  /// As TRL's `extract_prompt`, also when the sides begin with the assistant.
  @Test func theCommonMessagesOfAPairAreItsPrompt() throws {
    for (roles, common) in [("aua", 2), ("uaa", 2), ("sa", 1), ("uua", 2), ("a", 0)] {
      let chosen = Self.messages(roles)
      let rejected = chosen.dropLast() + [Message(.assistant, "other")]
      let record = try RecordFormTests.record(
        #"{"chosen": \#(Self.json(chosen)), "rejected": \#(Self.json(Array(rejected)))}"#)
      #expect(
        record
          == .pair(
            Preference(
              prompt: Conversation(chosen[..<common]), chosen: Array(chosen[common...]),
              rejected: [Message(.assistant, "other")])))
    }
    let prompt = Self.messages("ua")
    let record = try RecordFormTests.record(
      #"{"prompt": \#(Self.json(prompt)), "chosen": "x", "rejected": "y"}"#)
    #expect(
      record
        == .pair(
          Preference(
            prompt: Conversation(prompt), chosen: [Message(.assistant, "x")],
            rejected: [Message(.assistant, "y")])))
  }

  @Test func otherNamesOfRolesAreNamed() {
    let names: [(String, Role?)] = [
      ("User", .user), ("HUMAN", .user), ("prompter", .user), ("bot", .assistant),
      ("Assistant", .assistant), ("GPT", .assistant), ("model", .assistant), ("ipython", .tool),
      ("function", .tool), ("developer", .system), ("System ", .system), ("critic", nil),
      ("Function_Call", nil),
    ]
    for (name, role) in names { #expect(Message.role(meantBy: name) == role, "\(name)") }
  }

  private static func published(_ source: String) throws -> ChatEncoder {
    let tokens = [PublishedTemplate.NamedToken(name: "eos_token", text: "<|endoftext|>")]
    return ChatEncoder(
      .published(try PublishedTemplate(source, specialTokens: tokens, path: "here")),
      tokenizer: ByteTokenizer())
  }

  private static func reason(_ messages: [Message], _ chat: ChatEncoder) throws -> String? {
    do {
      _ = try set(.conversation(Conversation(messages)), chat)
      return nil
    } catch DatasetError.badRecord(.unrendered(let reason), _) {
      return reason
    }
  }

  @Test func answersAndMessagesThatATemplateHidesAreRefused() throws {
    // Opens no turn for an answer that follows an answer, like Gemma 4's.
    let joining = try Self.published(
      "{% for m in messages %}{% if m.role != 'assistant' or loop.previtem is undefined or "
        + "loop.previtem.role != 'assistant' %}[{{ m.role }}]{% endif %}{{ m.content }}"
        + "{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}")
    #expect(try Self.reason(Self.messages("uaua"), joining) == nil)
    let joined = "the chat template joins messages 2 and 3, both of the assistant, in one turn"
    #expect(try Self.reason(Self.messages("uaa"), joining) == joined)
    // The second answer is outside the loss, and the first would have no turn of its own.
    let masked =
      Self.messages("ua") + [Message(.assistant, "x", maskedBy: "messages[2].weight")]
    #expect(try Self.reason(masked, joining) == joined)
    let firstOnly = try Self.published(
      "{% for m in messages %}{% if m.role != 'system' or loop.first %}{{ m.content }}"
        + "{{ eos_token }}{% endif %}{% endfor %}")
    #expect(try Self.reason(Self.messages("sua"), firstOnly) == nil)
    // As in transformers; the log tells it.
    #expect(try Self.reason(Self.messages("usa"), firstOnly) == nil)
    let noted = try ExampleSet(
      located([.conversation(Conversation(Self.messages("usa")))]), chat: firstOnly,
      options: ExampleOptions(context: 99)
    ).statistics.description
    #expect(noted.contains("the chat template leaves out system (1 record)"), "\(noted)")
    let usersOnly = try Self.published(
      "{% for m in messages %}{% if m.role != 'user' %}{{ m.content }}{{ eos_token }}{% endif %}"
        + "{% endfor %}")
    #expect(
      try Self.reason(Self.messages("ua"), usersOnly)
        == "the chat template leaves out message 1, of the user")
    let parts = try Self.published(
      "{% for m in messages %}{{ m.role }}{% for p in m.content %}{{ p.text }}{% endfor %}"
        + "{{ eos_token }}{% endfor %}")
    #expect(
      try Self.reason(Self.messages("ua"), parts)
        == "the chat template leaves out message 1, of the user, as it reads contents that are lists "
        + "of text parts")
    let listed = [Message(.user, parts: ["q"]), Message(.assistant, parts: ["a", "b"])]
    #expect(try Self.reason(listed, parts) == nil)
    // Marks nothing as generated.
    let unmarked = try Self.published(
      "{% for m in messages %}{{ m.content }}{% endfor %}{% generation %}{% endgeneration %}")
    #expect(
      try Self.reason(Self.messages("ua"), unmarked)
        == "the chat template leaves out the contents of its answers")
  }

  /// Two answers in one generated range, of which one is outside the loss.
  @Test func eachAnswerOfAGeneratedRangeHasItsOwnMask() throws {
    let chat = try Self.published(
      "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
        + "{{ eos_token }}{% endgeneration %}{% else %}{{ m.content }}{{ eos_token }}{% endif %}"
        + "{% endfor %}")
    for masked in [1, 2] {
      let messages = (0..<3).map { index in
        Message(
          index == 0 ? .user : .assistant, "\(index)", maskedBy: index == masked ? "w" : nil)
      }
      let example = try Self.set(.conversation(Conversation(messages)), chat).examples[0]
      let learned = zip(example.ids, example.lossMask).filter(\.1).map(\.0)
      #expect(learned == [TokenID(UInt8(ascii: "0")) + TokenID(3 - masked), 256])
    }
  }
}
