import Files
import Testing

@testable import Tokenizers

/// Folders with a tokenizer.model, or with vocab.json and merges.txt, and no tokenizer.json, compared
/// with transformers' classes (`tokenizer_model.py`).
@Suite struct TokenizerModelTests {
  private static func withFolder(
    _ files: [String: [UInt8]], _ body: (String) throws -> Void
  ) throws {
    let folder = "/tmp/apus-model-\(UInt64.random(in: 0...UInt64.max))"
    defer { try? FileSystem.removeTree(folder) }
    for (name, bytes) in files {
      try PendingFile.write(bytes, to: FileSystem.join(folder, name))
    }
    try body(folder)
  }

  /// Returns the files of the vocabulary `name`.
  private static func files(_ name: String) throws -> [String: [UInt8]] {
    guard name == "bytes" else {
      return ["tokenizer.model": try Goldens.bytes("pipelines/\(name).model")]
    }
    let document = try JSONReader.read(Goldens.bytes("tokenizer.json"))
    let model = try #require(document["model"])
    let merges = try #require(model["merges"]?.array).map { merge in
      merge.string ?? (merge.array ?? []).compactMap(\.string).joined(separator: " ")
    }
    return [
      "vocab.json": try #require(model["vocab"]).indented,
      "merges.txt": Array(merges.joined(separator: "\n").utf8),
    ]
  }

  @Test func idsEqualThoseOfTheClasses() throws {
    let golden = try JSONReader.read(Goldens.bytes("tokenizer_model.json"))
    let texts = try #require(golden["texts"]?.array).compactMap(\.string)
    let cases = try #require(golden["cases"]?.array)
    #expect(cases.count == 244 && texts.count == 6)
    for one in cases {
      let name = try #require(one["model"]?.string)
      var files = try Self.files(name)
      files["config.json"] = one["config"]?.compact
      files["tokenizer_config.json"] = one["settings"]?.compact
      let settings = (files["config.json"] ?? []) + (files["tokenizer_config.json"] ?? [])
      let label = "\(name) \(String(decoding: settings, as: UTF8.self))"
      try Self.withFolder(files) { folder in
        let tokenizer = try TokenizerFile.load(from: folder)
        #expect(tokenizer.vocabularySize == one["count"]?.integer, "\(label)")
        for (text, ids) in zip(texts, one["ids"]?.array ?? []) {
          let own =
            (tokenizer as? TokenizationPipeline)?.encoding(of: text).ids
            ?? tokenizer.encoding(of: text, specialTokensIn: RangeSet(0..<text.utf8.count)).ids
          #expect(own.map { Int($0) } == ids.array?.compactMap(\.integer), "\(label) \(text)")
        }
        // A copy can be read, and has the same ids.
        try TokenizerFile.save(tokenizer, toFolder: "\(folder)/copy")
        let copy = try TokenizerFile.load(from: "\(folder)/copy")
        let isSame = TokenizerFile.fingerprint(of: copy) == TokenizerFile.fingerprint(of: tokenizer)
        #expect(isSame, "\(label)")
      }
    }
  }

  /// As in transformers, a model continues a prompt after the end of text that `add_eos_token` adds.
  @Test func aPromptHasTheTokensAroundATextThatTheSettingsAskFor() throws {
    for (settings, before, after) in [
      ("{}", [], []), (#"{"add_bos_token": true}"#, [1], []),
      (#"{"add_eos_token": true}"#, [], [2]),
      (#"{"add_bos_token": true, "add_eos_token": true}"#, [1], [2]),
    ] as [(String, [TokenID], [TokenID])] {
      var files = try Self.files("user-defined-bpe")
      files["tokenizer_config.json"] = Array(settings.utf8)
      try Self.withFolder(files) { folder in
        let tokenizer = try TokenizerFile.load(from: folder)
        let text = tokenizer.encode("the owl")
        #expect(tokenizer.encode(prompt: "the owl") == before + text + after, "\(settings)")
        #expect(tokenizer.beginningOfText == before.first, "\(settings)")
        let copy = try JSONReader.read(TokenizerFile.files(of: tokenizer)[1].contents)
        #expect(copy["bos_token"]?.string == "<s>" && copy["unk_token"]?.string == "<unk>")
        #expect(tokenizer.endOfPrompt == (after.isEmpty ? nil : "</s>"), "\(settings)")
      }
    }
  }

  /// Gemma's tokenizer has a mask, and its prompts begin with `<bos>` nevertheless.
  @Test func aMaskDoesNotHideTheBeginningOfAText() throws {
    var files = try Self.files("user-defined-bpe")
    files["tokenizer_config.json"] = Array(
      #"{"tokenizer_class": "GemmaTokenizer", "add_bos_token": true}"#.utf8)
    try Self.withFolder(files) { folder in
      let tokenizer = try TokenizerFile.load(from: folder)
      #expect(tokenizer.specialToken("<mask>") != nil)
      #expect(tokenizer.beginningOfText == tokenizer.specialToken("<bos>"))
      #expect(tokenizer.encode(prompt: "the").first == tokenizer.specialToken("<bos>"))
    }
  }

  /// Classes that put tokens around a text, such as RoBERTa's, have files of the same names.
  @Test(arguments: ["vocab.json", "vocab.txt", "spiece.model", "tokenizer.model"])
  func filesOfOtherClassesAreRefused(file: String) throws {
    var files = try Self.files("bytes")
    if file == "vocab.txt" { files = [file: Array("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n".utf8)] }
    if file.hasSuffix(".model") { files = [file: try Goldens.bytes("pipelines/spiece.model")] }
    try Self.withFolder(files) { folder in _ = try TokenizerFile.load(from: folder) }
    for (name, settings, model) in [
      ("RobertaTokenizer", #"{"tokenizer_class": "RobertaTokenizer"}"#, "{}"),
      ("BartTokenizer", #"{"tokenizer_class": "BartTokenizerFast"}"#, #"{"model_type": "gpt2"}"#),
      ("MPNetTokenizer", "{}", #"{"tokenizer_class": "MPNetTokenizer"}"#),
      ("roberta", "{}", #"{"model_type": "roberta"}"#),
      ("NoSuchTokenizer", #"{"tokenizer_class": "NoSuchTokenizer"}"#, "{}"),
    ] {
      files["tokenizer_config.json"] = Array(settings.utf8)
      files["config.json"] = Array(model.utf8)
      try Self.withFolder(files) { folder in
        let error = try #require(throws: TokenizerError.self) {
          try TokenizerFile.load(from: folder)
        }
        #expect("\(error)".contains("\(folder)/\(file) is in the format of "))
        #expect("\(error)".contains("\(name), which Apus does not read"), "\(error)")
      }
    }
  }

  @Test(arguments: [
    (
      "tokenizer.model", "user-defined-bpe", #"{"tokenizer_class": "GPT2Tokenizer"}"#,
      "GPT2Tokenizer"
    ),
    ("tokenizer.model", "user-defined-bpe", #"{"tokenizer_class": "T5Tokenizer"}"#, "T5Tokenizer"),
    ("spiece.model", "spiece", #"{"tokenizer_class": "AlbertTokenizer"}"#, "AlbertTokenizer"),
    (
      "tokenizer.model", "user-defined-bpe", #"{"added_tokens_decoder": {"5": {"content": "x"}}}"#,
      "piece 5 in added_tokens_decoder"
    ),
  ])
  func otherClassesAreRefused(file: String, model: String, settings: String, word: String) throws {
    let files = [
      file: try Goldens.bytes("pipelines/\(model).model"),
      "tokenizer_config.json": Array(settings.utf8),
    ]
    try Self.withFolder(files) { folder in
      let error = try #require(throws: TokenizerError.self) { try TokenizerFile.load(from: folder) }
      #expect("\(error)".contains(word), "\(error)")
    }
  }
}
