import Files
import Foundation
import Testing

@testable import Tokenizers

/// Layouts other than tokenizer.json, intact and damaged.
@Suite final class LayoutTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/apus-" + UUID().uuidString

  init() throws {
    try FileSystem.makeFolder(folder)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func write(_ bytes: [UInt8], _ name: String) throws {
    try PendingFile.write(bytes, to: "\(folder)/\(name)")
  }

  private func tokenizer() throws -> TokenizationPipeline {
    try #require(try TokenizerFile.load(from: folder) as? TokenizationPipeline)
  }

  @Test func vocabTxtLoadsAsABERTTokenizer() throws {
    let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "ow", "##l", "É", "e"]
    try write(Array(words.joined(separator: "\n").utf8), "vocab.txt")
    #expect(try tokenizer().encoding(of: "The Owl é?").ids == [2, 5, 6, 7, 9, 1, 3])
    try write(Array(#"{"do_lower_case": false}"#.utf8), "tokenizer_config.json")
    let cased = try tokenizer()
    #expect(cased.encoding(of: "the É", with: "the").ids == [2, 5, 8, 3, 5, 3])
    #expect(cased.encoding(of: "the É", with: "the").typeIDs == [0, 0, 0, 0, 1, 1])
    #expect(cased.endOfText == 3)
    try write(Array("[PAD]\n[UNK]\n".utf8), "vocab.txt")
    #expect(
      throws: TokenizerError.invalidVocabulary(.missingToken("[CLS]"), path: folder + "/vocab.txt")
    ) { try TokenizerFile.load(from: folder) }
    try write([0x61, 0x0A, 0xFF], "vocab.txt")
    #expect(
      throws: TokenizerError.malformedModel(
        path: folder + "/vocab.txt", reason: "line 2 is not valid UTF-8")
    ) { try TokenizerFile.load(from: folder) }
  }

  @Test func aTemplateWithTextThatHasNoTokenIsRefused() throws {
    let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    let words = special + [":", "|"] + letters + letters.map { "##" + $0 }
    try write(Array(words.joined(separator: "\n").utf8), "vocab.txt")
    #expect(throws: TokenizerError.unencodableTemplate(name: "chatml", text: "<")) {
      try ChatEncoder(.chatml, tokenizer: tokenizer()).requireEncodable()
    }
    try ChatEncoder(.plain, tokenizer: tokenizer()).requireEncodable()
    try write(Array((words + ["<", ">", "_"]).joined(separator: "\n").utf8), "vocab.txt")
    try ChatEncoder(.chatml, tokenizer: tokenizer()).requireEncodable()
    // The contents of records may have unknown characters.
    try write(Array(words.filter { $0 != "x" }.joined(separator: "\n").utf8), "vocab.txt")
    try ChatEncoder(.plain, tokenizer: tokenizer()).requireEncodable()
  }

  @Test func tokenizerClassSelectsTheLayoutOfQwen() throws {
    let golden = try JSONReader.read(Goldens.bytes("pipelines/qwen.json"))
    let model = try #require(golden["model"])
    try write(try #require(model["vocab"]).indented, "vocab.json")
    let merges = try #require(model["merges"]?.array).map { merge in
      (merge.array ?? []).compactMap(\.string).joined(separator: " ")
    }
    try write(Array(merges.joined(separator: "\n").utf8), "merges.txt")
    func settings(_ added: String) -> [UInt8] {
      Array(
        #"{"tokenizer_class": "Qwen2TokenizerFast", "added_tokens_decoder": {\#(added)}}"#.utf8)
    }
    let added = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"].enumerated().map {
      #""\#(700 + $0)": {"content": "\#($1)", "special": true, "normalized": false}"#
    }
    try write(settings(added.joined(separator: ", ")), "tokenizer_config.json")
    let published = try tokenizer()
    let whole = try TokenizationPipeline(
      JSONFile(path: Goldens.path("pipelines/qwen.json")), endOfText: "<|im_end|>")
    for text in ["It'S 2041, e\u{301}\n\n  ok", " <|im_start|>user"] {
      #expect(published.encoding(of: text) == whole.encoding(of: text))
    }
    // Without a list the class adds its own special token alone.
    try write(Array(#"{"tokenizer_class": "Qwen2Tokenizer"}"#.utf8), "tokenizer_config.json")
    #expect(try tokenizer().endOfText == 700 && tokenizer().vocabularySize == 701)
    try write(settings(#""7": {"content": "<a>", "special": true}"#), "tokenizer_config.json")
    #expect(throws: TokenizerError.self) { try TokenizerFile.load(from: folder) }
  }

  @Test func spieceModelLoadsAsAT5Tokenizer() throws {
    try write(try Goldens.bytes("pipelines/spiece.model"), "spiece.model")
    let model = try tokenizer()
    let pieces = try SentencePieceModel(path: folder + "/spiece.model").pieces.count
    #expect(model.vocabularySize == pieces + 100)
    #expect(model.specialToken("<extra_id_0>") == TokenID(pieces + 99))
    #expect(model.specialToken("<extra_id_99>") == TokenID(pieces))
    try write(Array(#"{"extra_ids": 2, "eos_token": "</s>"}"#.utf8), "tokenizer_config.json")
    #expect(try tokenizer().vocabularySize == pieces + 2)
    let encoding = try tokenizer().encoding(of: " two\t  owls")
    #expect(encoding.ids.last == 1 && encoding.isAdded.last == true)
    #expect(
      try tokenizer().text(of: encoding.ids, skipsSpecial: true) == Array("two owls".utf8))
  }

  /// Encodes a field of a message with a varint value.
  private static func field(_ number: Int, _ value: Int) -> [UInt8] {
    [UInt8(number << 3)] + varint(value)
  }

  private static func field(_ number: Int, _ value: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(value.count) + value
  }

  private static func varint(_ value: Int) -> [UInt8] {
    value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + varint(value >> 7)
  }

  private static func piece(_ text: String, _ score: Float, _ kind: Int) -> [UInt8] {
    let bits = withUnsafeBytes(of: score.bitPattern.littleEndian) { Array($0) }
    return field(1, field(1, Array(text.utf8)) + [2 << 3 | 5] + bits + field(3, kind))
  }

  @Test func tokenizerModelLoadsAsALlama2Tokenizer() throws {
    var model = Self.piece("<unk>", 0, 2) + Self.piece("<s>", 0, 3) + Self.piece("</s>", 0, 3)
    for byte in UInt8.min...UInt8.max {
      let text = String(decoding: Vocabulary.spelling(ofByte: byte), as: UTF8.self)
      model += Self.piece(text, 0, 6)
    }
    for (index, text) in ["ab", "▁ab", "▁▁", "▁", "a", "b"].enumerated() {
      model += Self.piece(text, -Float(index), 1)
    }
    let trainer = Self.field(3, 2) + Self.varint(35 << 3) + [1]
    model += Self.field(2, trainer) + Self.field(3, Self.field(3, 1) + Self.field(4, 0))
    try write(model, "tokenizer.model")
    let tokenizer = try tokenizer()
    let (ab, spaceAB, spaces, space): (TokenID, TokenID, TokenID, TokenID) = (259, 260, 261, 262)
    let (cLead, cTail): (TokenID, TokenID) = (3 + 0xC3, 3 + 0xA9)
    let cases: [(text: String, ids: [TokenID])] = [
      ("ab ab", [spaceAB, spaceAB]), ("  abé", [spaces, spaceAB, cLead, cTail]),
      ("baab", [space, 264, 263, ab]),
    ]
    for (text, ids) in cases { #expect(tokenizer.encode(text) == ids) }
    let decoded = try tokenizer.text(of: tokenizer.encode(" a é"), skipsSpecial: true)
    #expect(decoded == Array(" a é".utf8))
    let ids: [TokenID] = tokenizer.encoding(of: "a").ids
    #expect(ids == [space, 263])
    for (flags, ids) in [
      (#"{"add_bos_token": false}"#, [space, 263]), ("{}", [space, 263]),
      (#"{"add_bos_token": true}"#, [1, space, 263]),
      (#"{"add_eos_token": true}"#, [space, 263, 2]),
      (#"{"add_bos_token": true, "bos_token": "</s>"}"#, [2, space, 263]),
    ] as [(String, [TokenID])] {
      try write(Array(flags.utf8), "tokenizer_config.json")
      #expect(try self.tokenizer().encodeWithSpecialTokens("a") == ids, "\(flags)")
    }
    try write(
      Array(#"{"add_eos_token": true, "eos_token": "<end>"}"#.utf8), "tokenizer_config.json")
    // A special token that the model lacks is added to it, unless the model has no embedding for it.
    #expect(try self.tokenizer().encodeWithSpecialTokens("a") == [space, 263, 265])
    #expect(throws: TokenizerError.self) { try TokenizerFile.load(from: folder, rows: 265) }
  }

  /// transformers' class for Llama ignores the normalizer of a tokenizer.json (`llama_class.py`).
  @Test func theClassOfLlamaDecidesWhereASpaceIsPutBefore() throws {
    try write(Goldens.bytes("pipelines/llama2.json"), "tokenizer.json")
    for example in try #require(JSONReader.read(Goldens.bytes("llama_class.json")).array) {
      let settings = try #require(example["settings"])
      try write(settings.compact, "tokenizer_config.json")
      try write(try #require(example["model"]).compact, "config.json")
      let tokenizer = try tokenizer()
      for text in try #require(example["texts"]?.array) {
        let bytes = Array(try #require(text["text"]?.string).utf8)
        let ids = try #require(text["ids"]?.array).compactMap(\.integer).map { TokenID($0) }
        let own = bytes.withUnsafeBufferPointer {
          tokenizer.encoding(of: $0, specialTokensIn: RangeSet(0..<bytes.count)).ids
        }
        #expect(own == ids, "\(settings) \(text)")
        let decoded = try #require(text["decoded"]?.string)
        #expect(String(decoding: try tokenizer.decode(ids), as: UTF8.self) == decoded, "\(text)")
      }
    }
  }

  /// Models of sentencepiece with user-defined pieces encode as in sentencepiece (`user_defined.py`).
  @Test func userDefinedPiecesAreFoundInTheNormalizedText() throws {
    let golden = try JSONReader.read(Goldens.bytes("user_defined.json"))
    for name in try #require(golden.members).map(\.key) {
      let bytes = try Goldens.bytes("pipelines/\(name).model")
      try write(bytes, "tokenizer.model")
      let tokenizer = try tokenizer()
      for example in try #require(golden[name]?.array) {
        let text = try #require(example["text"]?.string)
        let ids = try #require(example["ids"]?.array).compactMap(\.integer)
        #expect(tokenizer.encode(text) == ids.map { TokenID($0) }, "\(name): \(text)")
      }
    }
  }

  @Test func userDefinedPiecesAreFoundByTheClassOfLlamaToo() throws {
    try write(try Goldens.bytes("pipelines/user-defined-bpe.model"), "tokenizer.model")
    // The mark of a space at the beginning is a character of the text.
    #expect(try tokenizer().encode("▁the") != tokenizer().encode("the"))
    let separator = try #require(try tokenizer().encode("<sep>").last)
    try write(Array(#"{"tokenizer_class": "LlamaTokenizer"}"#.utf8), "tokenizer_config.json")
    let ids = try tokenizer().encode("the<sep>owl<sep>")
    #expect(ids.count { $0 == separator } == 2)
    // transformers puts no space before a piece that begins a text, and with `legacy` one after it.
    #expect(try tokenizer().encode("<sep>") == [separator])
    let first = try tokenizer().encode("<sep>the")
    let legacy = #"{"tokenizer_class": "LlamaTokenizer", "legacy": true}"#
    try write(Array(legacy.utf8), "tokenizer_config.json")
    #expect(try tokenizer().encode("<sep>the") == [separator] + tokenizer().encode("the"))
    #expect(try tokenizer().encode("<sep>the") != first)
  }

  @Test func settingsOfSentencepieceThatChangeTextsAreRefused() throws {
    let pieces = Self.piece("<unk>", 0, 2) + Self.piece("a", -1, 1)
    for (settings, word) in [
      (Self.field(2, Self.varint(24 << 3) + [1]), "treat_whitespace_as_suffix"),
      (Self.field(3, Self.field(5, 0)), "escape_whitespaces"),
    ] {
      try write(pieces + settings, "tokenizer.model")
      let error = try #require(throws: TokenizerError.self) { try tokenizer() }
      #expect("\(error)".contains(word))
    }
  }

  @Test(arguments: ["tokenizer.model", "qwen.tiktoken", "tekken.json"])
  func filesOfOtherProgramsAreNamed(name: String) throws {
    try write(Array((name == "tekken.json" ? "{" : "IQ== 0\nIg== 1\n").utf8), name)
    for path in [folder, "\(folder)/\(name)"] {
      let error = try #require(throws: TokenizerError.self) { try TokenizerFile.load(from: path) }
      let format = name == "tekken.json" ? "tekken (mistral-common)" : "tiktoken"
      #expect(error == .foreignFormat(path: "\(folder)/\(name)", format: format))
    }
  }

  /// GPT-2's class of transformers reads vocab.json and merges.txt of any vocabulary, such as
  /// SmolLM2's, and drops bytes that have no token.
  @Test func vocabulariesWithoutSomeBytesLoadAsInTransformers() throws {
    let vocabulary = ["<|end|>", "<|user|>", "a", "b", "ab", "Ġ", "1"]
    let members = vocabulary.enumerated().map { (key: $1, value: JSONValue.integer($0)) }
    try write(JSONValue.object(members).indented, "vocab.json")
    try write(Array("#version: 0.2\na b\n".utf8), "merges.txt")
    let path = "\(folder)/vocab.json"
    #expect(throws: TokenizerError.unstatedWords(path: path, byte: 0)) {
      try TokenizerFile.load(from: folder)
    }
    let added = (0..<2).map { id in
      #""\#(id)": {"content": "\#(vocabulary[id])", "special": true, "normalized": false, "#
        + #""lstrip": false, "rstrip": false, "single_word": false}"#
    }.joined(separator: ", ")
    try write(
      Array(
        (#"{"tokenizer_class": "GPT2Tokenizer", "eos_token": "<|end|>", "#
          + #""added_tokens_decoder": {\#(added)}}"#).utf8), "tokenizer_config.json")
    let tokenizer = try tokenizer()
    #expect(tokenizer.endOfText == 0)
    #expect(tokenizer.encoding(of: "ab 11\u{4}<|user|>b").ids == [4, 5, 6, 6, 1, 3])
    #expect(tokenizer.encode("ab<|x|>") == [4])
  }

  @Test func damagedModelsAreRefused() throws {
    let whole = try Goldens.bytes("pipelines/spiece.model")
    let path = folder + "/spiece.model"
    for length in stride(from: 0, to: whole.count, by: 97) {
      try write(Array(whole[..<length]), "spiece.model")
      // A file cut between two messages may still be valid; loading it must never crash.
      _ = try? TokenizerFile.load(from: folder)
    }
    for (bytes, reason) in [
      (
        [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0x61],
        "its message is truncated or malformed at byte 6"
      ),
      ([0x0A], "its message is truncated or malformed at byte 1"), ([], "it has no pieces"),
      ([0x0B, 0x00], "its message is truncated or malformed at byte 1"),
      (Self.field(1, Self.field(1, [0xFF])), "piece 0 is not valid UTF-8"),
      (Self.piece("a", .infinity, 1), "the score of piece 0 is not finite"),
      (Self.piece("a", 0, 1), "it has no unknown piece"),
    ] as [([UInt8], String)] {
      try write(bytes, "spiece.model")
      #expect(throws: TokenizerError.malformedModel(path: path, reason: reason)) {
        try TokenizerFile.load(from: folder)
      }
    }
    try write(Self.piece("a", 0, 9), "spiece.model")
    #expect(throws: TokenizerError.unsupported(path: path, construct: "piece of type 9")) {
      try TokenizerFile.load(from: folder)
    }
    let words = Self.piece("a", 0, 2) + Self.field(2, Self.field(3, 3))
    try write(words, "spiece.model")
    #expect(
      throws: TokenizerError.unsupported(
        path: path, construct: "model Word with the class T5Tokenizer")
    ) {
      try TokenizerFile.load(from: folder)
    }
  }

  /// A character map of random units must not be read beyond its end.
  @Test func hostileCharacterMapIsReadWithinBounds() {
    #expect(PrecompiledNormalizer([]) == nil)
    #expect(PrecompiledNormalizer([0xFF, 0xFF, 0xFF, 0x7F, 0, 0]) == nil)
    for seed in UInt32(1)..<200 {
      var bytes: [UInt8] = [64, 0, 0, 0]
      var state = seed &* 2_654_435_761
      for _ in 0..<64 {
        state = state &* 1_664_525 &+ 1_013_904_223
        bytes.append(UInt8(state >> 24))
      }
      guard let normalizer = PrecompiledNormalizer(bytes + Array("ab\0cd".utf8)) else { continue }
      var text = NormalizedText(Array("abc é陽 \r\n x\u{301}".utf8), offset: 0, tracked: true)
      normalizer.normalize(&text)
      #expect(text.origin(of: 0..<text.bytes.count).upperBound <= 20)
    }
  }
}
