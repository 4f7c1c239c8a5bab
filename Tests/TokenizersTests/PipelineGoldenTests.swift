import Files
import Testing

@testable import Tokenizers

/// Compares ids, offsets and decoded texts of every family with those of Hugging Face tokenizers.
@Suite struct PipelineGoldenTests {
  private static let names = [
    "gpt2", "roberta", "smollm2", "llama3", "qwen", "o200k", "llama2", "bert", "bert_cased",
    "mixed", "t5", "spiece",
  ]

  private static let goldens = Result { try JSONReader.read(Goldens.bytes("pipelines.json")) }

  private static func load(_ name: String) throws -> TokenizationPipeline {
    let file = name == "spiece" ? "pipelines/spiece.model" : "pipelines/\(name).json"
    let document =
      name == "spiece"
      ? JSONFile(
        path: file,
        root: try SentencePieceModel(path: Goldens.path(file)).t5Document(sentinels: 0))
      : try JSONFile(path: Goldens.path(file))
    return try TokenizationPipeline(document, endOfText: name == "mixed" ? "[SEP]" : nil)
  }

  @Test func onlyTokenizersOfCausalModelsBeginAText() throws {
    let expected: [String: TokenID] = ["llama2": 1, "llama3": 700]
    for name in Self.names {
      #expect(try Self.load(name).beginningOfText == expected[name], "\(name)")
    }
    #expect(ByteTokenizer().beginningOfText == nil)
  }

  @Test(arguments: names) func idsOffsetsAndTextsEqualThoseOfHuggingFace(_ name: String) throws {
    let goldens = try Self.goldens.get()
    let texts = try #require(goldens["texts"]?.array).map { try #require($0.string) }
    #expect(texts.count > 250)
    let tokenizer = try Self.load(name)
    let first = try #require(goldens[name]?["first"]?.array)
    var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    for (index, text) in texts.enumerated() {
      let encoding = tokenizer.encoding(of: text)
      let decoded = String(
        decoding: try tokenizer.text(of: encoding.ids, skipsSpecial: true), as: UTF8.self)
      let offsets = encoding.offsets.map { [$0.lowerBound, $0.upperBound] }
      if index < first.count {
        let ids = first[index]["ids"]?.array?.compactMap(\.integer)
        #expect(encoding.ids.map(Int.init) == ids, "\(text.debugDescription)")
        let expected = first[index]["offsets"]?.array?.map { $0.array?.compactMap(\.integer) }
        #expect(offsets == expected, "\(text.debugDescription)")
        #expect(
          decoded.utf8.elementsEqual(first[index]["text"]?.string?.utf8 ?? "".utf8),
          "\(text.debugDescription)")
      }
      let ids = encoding.ids.map(String.init).joined(separator: " ")
      let pairs = offsets.map { "[\($0[0]) \($0[1])]" }.joined(separator: " ")
      for byte in "[\(ids)] [\(pairs)] \(decoded)\n".utf8 where byte != 0x2C {
        digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3
      }
      // `encode` returns the ids of an encoding without special tokens.
      let plain = tokenizer.encoding(of: text, addsTokens: false, findsSpecial: false)
      #expect(tokenizer.encode(text) == plain.ids)
    }
    let hexadecimal = String(digest, radix: 16)
    let padded = String(repeating: "0", count: 16 - hexadecimal.count) + hexadecimal
    #expect(padded == goldens[name]?["digest"]?.string)
  }

  @Test(arguments: names) func pairEncodingsEqualThoseOfHuggingFace(_ name: String) throws {
    let pair = try #require(try Self.goldens.get()[name]?["pair"])
    let encoding = try Self.load(name).encoding(of: "Two owls.", with: "A heron?")
    #expect(encoding.ids.map(Int.init) == pair["ids"]?.array?.compactMap(\.integer))
    #expect(encoding.typeIDs == pair["types"]?.array?.compactMap(\.integer))
    #expect(encoding.isAdded.map { $0 ? 1 : 0 } == pair["added"]?.array?.compactMap(\.integer))
  }

  @Test(arguments: names) func savedPipelineEqualsTheOriginal(_ name: String) throws {
    let tokenizer = try Self.load(name)
    let files = TokenizerFile.files(of: tokenizer)
    let saved = JSONFile(path: "saved", root: try JSONReader.read(files[0].contents))
    let end = String(decoding: try tokenizer.bytes(of: tokenizer.endOfText), as: UTF8.self)
    let again = try TokenizationPipeline(saved, endOfText: end)
    #expect(TokenizerFile.fingerprint(of: again) == TokenizerFile.fingerprint(of: tokenizer))
    let text = "Two owls, é\u{301} 2041\n<mask> 陽"
    #expect(again.encoding(of: text) == tokenizer.encoding(of: text))
  }

  @Test func specialTokensInTextAreFoundOnlyWhenRequested() throws {
    let tokenizer = try Self.load("bert")
    let mask = try #require(tokenizer.specialToken("[MASK]"))
    #expect(!tokenizer.encode("a [MASK]").contains(mask))
    #expect(tokenizer.encoding(of: "a [MASK]").ids.contains(mask))
    #expect(tokenizer.isSpecial(mask) && !tokenizer.isSpecial(20))
    #expect(throws: TokenizerError.unknownID(id: -1, vocabularySize: tokenizer.vocabularySize)) {
      try tokenizer.decode([-1])
    }
  }

  @Test func bytesOfATokenAreThoseInTheMiddleOfAText() throws {
    let bert = try Self.load("bert")
    let inner = try bert.encode("watched").map {
      String(decoding: try bert.bytes(of: $0), as: UTF8.self)
    }
    #expect(inner.joined() == " watched")
    let llama = try Self.load("llama2")
    let bytes = try llama.encode("é𝔘").flatMap { try llama.bytes(of: $0) }
    #expect(bytes == Array(" é𝔘".utf8))
  }

  @Test func invalidUTF8IsEncoded() throws {
    let broken: [UInt8] = [0x61, 0xFF, 0x20, 0xC3, 0x61]
    let llama = try Self.load("llama3")
    #expect(try llama.decode(llama.encode(broken)) == broken)
    let bert = try Self.load("bert")
    #expect(bert.encode(broken) == bert.encode("a\u{FFFD} \u{FFFD}a"))
  }
}
