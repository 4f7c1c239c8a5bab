import Files
import Testing

@testable import Tokenizers

/// Compares the ids and loss masks of conversations with those of transformers, for every published
/// template with every small tokenizer; see Goldens/chat_ids.py.
struct ChatIDTests {
  private static let document = try? JSONReader.read(Goldens.bytes("chat_ids.json"))
  private static let pairs = document?["pairs"]?.array ?? []
  private static let names = Array(Set(pairs.compactMap { $0["tokenizer"]?.string })).sorted()

  @Test func goldenFileHoldsAllPairs() {
    #expect(Self.pairs.count == 26 * 11 && Self.names.count == 11)
  }

  /// Returns the small tokenizer called `name` with the special tokens of `pair` added.
  static func tokenizer(_ name: String, _ pair: JSONValue) throws -> TokenizationPipeline {
    let path = "pipelines/\(name).json"
    guard case .object(var members) = try JSONFile(path: Goldens.path(path)).root,
      let place = members.firstIndex(where: { $0.key == "added_tokens" }),
      case .array(var added) = members[place].value,
      case .array(let strips) = pair["strips"], case .array(let new) = pair["new"]
    else { throw TokenizerError.noTokenizer(folder: path) }
    for token in new {
      let entry = try #require(token.array)
      added.append(
        .object([
          ("id", entry[0]), ("content", entry[1]), ("single_word", .bool(false)),
          ("lstrip", strips[0]), ("rstrip", strips[1]), ("normalized", .bool(false)),
          ("special", .bool(true)),
        ]))
    }
    members[place].value = .array(added)
    return try TokenizationPipeline(
      JSONFile(path: path, root: .object(members)), endOfText: name == "mixed" ? "[SEP]" : nil)
  }

  @Test(arguments: names)
  func idsAndLossMasksEqualThoseOfTransformers(name: String) throws {
    let count = try #require(Self.document?["count"]?.integer)
    let words = try #require(PublishedTemplateTests.document?["words"]?.array).compactMap(\.string)
    for pair in Self.pairs where pair["tokenizer"]?.string == name {
      let template = try #require(pair["template"]?.string)
      let tokenizer = try Self.tokenizer(name, pair)
      let encoder = ChatEncoder(
        try PublishedTemplateTests.Entry(template).encoder.template, tokenizer: tokenizer)
      let special = tokenizer.added.tokens.filter(\.isSpecial).map(\.content)
      let plain = words.filter { word in !special.contains { word.contains($0) } }
      var digest: UInt64 = 0xCBF2_9CE4_8422_2325
      for index in 0..<count {
        let (messages, prompts) = PublishedTemplateTests.conversation(index, plain)
        var line = "!"
        if let pieces = try? encoder.render(Conversation(messages), addGenerationPrompt: prompts) {
          let example = encoder.example(of: pieces[...])
          line = zip(example.ids, example.lossMask).map { "\($0)\($1 ? "+" : "")" }
            .joined(separator: " ")
        }
        for byte in "\(line)\n".utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
      }
      let expected = try #require(pair["digest"]?.string)
      #expect(digest == UInt64(expected, radix: 16), "\(template)")
    }
  }
}
