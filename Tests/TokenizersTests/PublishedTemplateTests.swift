import Files
import Testing

@testable import Tokenizers

/// A tokenizer of bytes followed by special tokens.
struct MarkerTokenizer: Tokenizer {
  let markers: [String]
  let endOfText: TokenID = 256

  var vocabularySize: Int { 256 + markers.count }

  func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenID] { bytes.map { TokenID($0) } }

  func bytes(of id: TokenID) throws(TokenizerError) -> [UInt8] {
    guard id >= 0, Int(id) < vocabularySize else {
      throw .unknownID(id: id, vocabularySize: vocabularySize)
    }
    return id < 256 ? [UInt8(id)] : Array(markers[Int(id) - 256].utf8)
  }

  func isSpecial(_ id: TokenID) -> Bool { id >= 256 }
}

/// Compares published templates with transformers; see Goldens/published.py.
struct PublishedTemplateTests {
  static let document = try? JSONReader.read(Goldens.bytes("published.json"))
  static let names = document?["templates"]?.array?.compactMap { $0["name"]?.string } ?? []

  /// A template of the golden file with its expected results.
  struct Entry {
    let value: JSONValue
    let encoder: ChatEncoder

    init(_ name: String) throws {
      let all = try #require(PublishedTemplateTests.document?["templates"]?.array)
      let value = try #require(all.first { $0["name"]?.string == name })
      let file = "Templates/\(name).jinja"
      let source =
        try value["source"]?.string ?? String(decoding: Goldens.bytes(file), as: UTF8.self)
      let tokens = ["bos", "eos"].compactMap { name in
        value[name]?.string.map {
          PublishedTemplate.NamedToken(name: "\(name)_token", text: $0)
        }
      }
      let specials = try #require(value["specials"]?.array).compactMap(\.string)
      encoder = ChatEncoder(
        .published(try PublishedTemplate(source, specialTokens: tokens, path: name)),
        tokenizer: MarkerTokenizer(markers: specials))
      self.value = value
    }
  }

  /// Returns the rendered text and the ranges of its characters in the loss mask, in the form of
  /// the golden file; only the error message when the template refuses the conversation.
  static func rendered(
    _ encoder: ChatEncoder, _ messages: [Message], prompt: Bool
  ) throws -> (text: String, trained: [Range<Int>]) {
    let outcome = Result { try encoder.render(Conversation(messages), addGenerationPrompt: prompt) }
    if case .failure(let error) = outcome, let error = error as? TokenizerError,
      case .unrendered(let reason) = error
    {
      let message = reason.split(separator: ": ", maxSplits: 1).last
      return ("!" + (message.map(String.init) ?? ""), [])
    }
    let pieces = try outcome.get()
    var trained: [Range<Int>] = []
    var end = 0
    for piece in pieces {
      let start = end
      end += piece.text.unicodeScalars.count
      guard piece.isInLoss, end > start else { continue }
      // The golden file merges adjacent ranges.
      if let last = trained.last, last.upperBound == start {
        trained[trained.count - 1] = last.lowerBound..<end
      } else {
        trained.append(start..<end)
      }
    }
    return (pieces.map(\.text).joined(), trained)
  }

  @Test func goldenFileHoldsAllTemplates() { #expect(Self.names.count == 26) }

  @Test(arguments: names)
  func textAndTrainedCharactersEqualThoseOfTransformers(name: String) throws {
    let entry = try Entry(name)
    for value in try #require(entry.value["cases"]?.array) {
      let messages = try #require(value["messages"]?.array).map { message in
        Message(
          try #require(message.array?[0].string.flatMap(Role.init(rawValue:))),
          try #require(message.array?[1].string))
      }
      let (text, trained) = try Self.rendered(
        entry.encoder, messages, prompt: value["prompt"]?.bool == true)
      #expect(text == value["text"]?.string)
      let expected = value["trained"]?.array?.compactMap(\.array).map { $0.compactMap(\.integer) }
      #expect(trained.map { [$0.lowerBound, $0.upperBound] } == expected)
    }
    let end = try entry.encoder.tokenizer.bytes(of: entry.encoder.endOfTurn)
    #expect(String(decoding: end, as: UTF8.self) == entry.value["end"]?.string)
  }

  /// Compares a digest of the 1,000 random conversations of the generator.
  @Test(arguments: names)
  func randomConversationsEqualThoseOfTransformers(name: String) throws {
    let entry = try Entry(name)
    let words = try #require(Self.document?["words"]?.array).compactMap(\.string)
    var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    var refused = 0
    for index in 0..<1_000 {
      let (messages, prompt) = Self.conversation(index, words)
      let (text, trained) = try Self.rendered(entry.encoder, messages, prompt: prompt)
      if text.hasPrefix("!") { refused += 1 }
      let spans = trained.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
      for byte in "\(text)\u{0}\(spans)\u{1}".utf8 {
        digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3
      }
    }
    let expected = try #require(entry.value["digest"]?.string)
    #expect(digest == UInt64(expected, radix: 16))
    #expect(refused == entry.value["refused"]?.integer)
  }

  /// The ids in the loss mask decode to the characters in the loss mask.
  @Test(arguments: names)
  func maskedTokensDecodeToTheTrainedCharacters(name: String) throws {
    let entry = try Entry(name)
    let words = try #require(Self.document?["words"]?.array).compactMap(\.string)
    for index in 0..<20 {
      let (messages, _) = Self.conversation(index, words)
      guard let pieces = try? entry.encoder.render(Conversation(messages)) else { continue }
      let example = try entry.encoder.encode(Conversation(messages))
      let inLoss = zip(example.ids, example.lossMask).filter(\.1).map(\.0)
      #expect(
        try entry.encoder.tokenizer.decode(inLoss)
          == pieces.filter(\.isInLoss).flatMap { Array($0.text.utf8) })
      let text = Array(pieces.map(\.text).joined().utf8)
      #expect(text == (try entry.encoder.tokenizer.decode(example.ids)))
    }
  }

  @Test func everyPieceHasItsOriginAndMessage() throws {
    let messages = [
      Message(.system, "Know birds."), Message(.user, "Hi"),
      Message(.assistant, "<think>\nHm.\n</think>\n\nHello"),
    ]
    let smol = try Entry("smollm2").encoder.render(
      Conversation(messages), addGenerationPrompt: true)
    #expect(
      smol[4...] == [
        ChatPiece("<|im_end|>", .endOfTurn, message: 0), ChatPiece("\n<|im_start|>", .template),
        ChatPiece("user", .role, message: 1), ChatPiece("\n", .template),
        ChatPiece("Hi", .content, message: 1), ChatPiece("<|im_end|>", .endOfTurn, message: 1),
        ChatPiece("\n<|im_start|>", .template), ChatPiece("assistant", .role, message: 2),
        ChatPiece("\n", .template),
        ChatPiece(messages[2].content, .content, message: 2, isInLoss: true),
        ChatPiece("<|im_end|>", .endOfTurn, message: 2, isInLoss: true),
        ChatPiece("\n<|im_start|>assistant\n", .template),
      ])
    // The template's text after the prompt of a generation is in the loss mask too.
    let qwen = try Entry("qwen3").encoder.render(Conversation(messages))
    #expect(
      qwen.filter(\.isInLoss) == [
        ChatPiece("<think>\n", .template, isInLoss: true),
        ChatPiece("Hm.", .content, message: 2, isInLoss: true),
        ChatPiece("\n</think>\n\n", .template, isInLoss: true),
        ChatPiece("Hello", .content, message: 2, isInLoss: true),
        ChatPiece("<|im_end|>", .endOfTurn, message: 2, isInLoss: true),
      ])
    #expect(
      try Entry("llama2").encoder.render(Conversation(messages), lossFrom: 3).allSatisfy {
        !$0.isInLoss
      })
  }

  @Test func refusedConversationThrowsTheReasonOfTheTemplate() throws {
    let encoder = try Entry("gemma").encoder
    let messages = [Message(.system, "a"), Message(.user, "b"), Message(.assistant, "c")]
    #expect(
      throws: TokenizerError.unrendered(
        reason: "the chat template refuses it at line 1: System role not supported")
    ) { try encoder.encode(Conversation(messages)) }
    #expect(throws: Never.self) { try encoder.encode(Conversation(Array(messages[1...]))) }
  }

  /// Returns conversation `index` of the generator.
  static func conversation(
    _ index: Int, _ words: [String]
  ) -> (messages: [Message], prompt: Bool) {
    var random = SplitMix64(state: UInt64(index))
    func text() -> String {
      let count = random.below(7)
      return (0..<count).map { _ in words[random.below(words.count)] }.joined()
    }
    var messages: [Message] = []
    if random.below(3) == 0 { messages.append(Message(.system, text())) }
    let turns = 1 + random.below(3)
    for _ in 0..<turns {
      messages.append(Message(.user, text()))
      messages.append(Message(.assistant, text()))
    }
    if random.below(4) == 0 { messages.removeLast() }
    return (messages, random.below(2) == 0)
  }

  struct SplitMix64 {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return Int((z ^ (z >> 31)) % UInt64(bound))
    }
  }
}
