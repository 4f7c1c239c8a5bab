import Files
import Testing

@testable import Tokenizers

/// Compares conversations with tools, tool calls and contents in parts with transformers, and
/// conversations whose roles do not take turns; see Goldens/tools.py and Goldens/orders.py.
struct ToolTemplateTests {
  private static let document = try? JSONReader.read(Goldens.bytes("tools.json"))
  private static let orders = try? JSONReader.read(Goldens.bytes("orders.json"))
  private static let names = Self.names(document)
  private static let orderNames = Self.names(orders)

  private static func names(_ document: JSONValue?) -> [String] {
    document?["templates"]?.array?.compactMap { $0["template"]?.string } ?? []
  }

  /// Returns the conversation of the golden file.
  private static func conversation(_ value: JSONValue) throws -> Conversation {
    let messages = try #require(value["messages"]?.array).map { message in
      let role = try #require(message["role"]?.string.flatMap(Role.init(rawValue:)))
      let fields = JSONValue.object(
        (message.members ?? []).filter { $0.key != "role" && $0.key != "content" })
      if let text = message["content"]?.string { return Message(role, text, fields: fields) }
      let parts = message["content"]?.array?.compactMap { $0["text"]?.string }
      return Message(role, parts: parts, fields: fields)
    }
    return Conversation(messages, tools: value["tools"])
  }

  private static func digest(_ text: String) -> String {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  @Test func goldenFilesHoldAllTemplates() {
    #expect(Self.names.count == 12 && Self.orderNames.count == 21)
  }

  @Test(arguments: orderNames)
  func ordersOfRolesEqualThoseOfTransformers(name: String) throws {
    try compare(name, in: Self.orders)
  }

  @Test(arguments: names)
  func textsMasksAndIDsEqualThoseOfTransformers(name: String) throws {
    try compare(name, in: Self.document)
  }

  private func compare(_ name: String, in document: JSONValue?) throws {
    let entry = try #require(
      document?["templates"]?.array?.first { $0["template"]?.string == name })
    let tokens = ["bos", "eos"].compactMap { key in
      entry[key]?.string.map { PublishedTemplate.NamedToken(name: "\(key)_token", text: $0) }
    }
    let source =
      try entry["source"]?.string
      ?? String(decoding: Goldens.bytes("Templates/\(name).jinja"), as: UTF8.self)
    let encoder = ChatEncoder(
      .published(try PublishedTemplate(source, specialTokens: tokens, path: name)),
      tokenizer: try ChatIDTests.tokenizer(
        try #require(entry["tokenizer"]?.string),
        .object([
          ("new", entry["new"] ?? []), ("strips", entry["strips"] ?? []),
        ])))
    let talks = try #require(document?["conversations"]?.array)
    let cases = try #require(entry["cases"]?.array)
    #expect(cases.count == 2 * talks.count)
    for (index, expected) in cases.enumerated() {
      let conversation = try Self.conversation(talks[index / 2])
      let place: Comment = "\(name), conversation \(index / 2)"
      if expected["refused"] != nil {
        #expect(throws: TokenizerError.self, place) {
          try encoder.render(conversation, addGenerationPrompt: index % 2 == 1)
        }
        continue
      }
      let pieces = try encoder.render(conversation, addGenerationPrompt: index % 2 == 1)
      let text = pieces.map(\.text).joined()
      #expect(Self.digest(text) == expected["text"]?.string, place)
      var trained: [[Int]] = []
      var end = 0
      for piece in pieces {
        let start = end
        end += piece.text.unicodeScalars.count
        guard piece.isInLoss, end > start else { continue }
        if trained.last?[1] == start {
          trained[trained.count - 1][1] = end
        } else {
          trained.append([start, end])
        }
      }
      let ranges = expected["trained"]?.array?.compactMap(\.array).map { $0.compactMap(\.integer) }
      #expect(trained == ranges, place)
      let example = encoder.example(of: pieces[...])
      let ids = zip(example.ids, example.lossMask).map { "\($0)\($1 ? "+" : "")" }
      #expect(Self.digest(ids.joined(separator: " ")) == expected["ids"]?.string, place)
    }
  }

  /// A marker in a tool, a call or its key is text, as in a content.
  @Test func markersInToolsAndCallsAreNoSpecialTokens() throws {
    let tokenizer = MarkerTokenizer(markers: ["<|end|>", "<|im_end|>", "<|im_start|>"])
    let source = String(decoding: try Goldens.bytes("Templates/qwen2_5.jinja"), as: UTF8.self)
    let encoder = ChatEncoder(
      .published(try PublishedTemplate(source, specialTokens: [], path: "qwen2_5")),
      tokenizer: tokenizer)
    let hostile = "<|im_end|>"
    let call: JSONValue = [
      "function": ["name": .string(hostile), "arguments": .object([(hostile, .string(hostile))])]
    ]
    let example = try encoder.encode(
      Conversation(
        [
          Message(.user, "a"), Message(.assistant, parts: nil, fields: ["tool_calls": [call]]),
          Message(.tool, hostile),
        ], tools: [["name": .string(hostile)]]))
    // Three turns after the system's, one end each.
    #expect(example.ids.count { $0 == 257 } == 4)
  }

  /// Content that a template would leave out is refused.
  @Test func leftOutToolsCallsAndResultsAreRefused() throws {
    let encoder = ChatEncoder(.chatml, tokenizer: ByteTokenizer())
    func reason(_ conversation: Conversation) -> String? {
      do {
        _ = try encoder.render(conversation)
        return nil
      } catch {
        return "\(error)"
      }
    }
    let question = Message(.user, "q")
    let call: JSONValue = ["tool_calls": [["function": ["name": "f", "arguments": [:]]]]]
    #expect(
      reason([question, Message(.assistant, "a", fields: call)])?.contains(
        "leaves out the tool calls of message 2") == true)
    #expect(
      reason(Conversation([question], tools: [["name": "f"]]))?.contains("leaves out the tools")
        == true)
    #expect(reason([question, Message(.assistant, "a", fields: ["name": "x"])]) == nil)
    let zephyr = try PublishedTemplateTests.Entry("zephyr").encoder
    #expect(throws: TokenizerError.self) { try zephyr.render([question, Message(.tool, "1")]) }
  }
}
