import Files
import Foundation
import Testing

@testable import Tokenizers

/// Loading and saving; every test has a folder of its own, which is removed afterwards.
@Suite final class TokenizerFileTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/apus-" + UUID().uuidString

  init() throws {
    try FileSystem.makeFolder(folder)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func write(_ text: String, _ name: String) throws {
    try PendingFile.write(Array(text.utf8), to: "\(folder)/\(name)")
  }

  /// Writes the golden tokenizer.json with `old`, which must occur, replaced by `new`.
  private func writeGolden(replacing old: String, with new: String) throws {
    let text = String(decoding: try Goldens.bytes("tokenizer.json"), as: UTF8.self)
    try #require(text.contains(old))
    try write(text.replacingOccurrences(of: old, with: new), "tokenizer.json")
  }

  @Test func savedTokenizerLoads() throws {
    let golden = try TokenizerFile.load(from: Goldens.path("tokenizer.json"))
    let deep = folder + "/a/b"
    try TokenizerFile.save(golden, toFolder: deep)
    let loaded = try TokenizerFile.load(from: deep)
    #expect(TokenizerFile.fingerprint(of: loaded) == TokenizerFile.fingerprint(of: golden))
    #expect(
      try TokenizerFile.contents(of: deep + "/tokenizer.json") == Goldens.bytes("tokenizer.json"))
    #expect(loaded.encode("the swift") == golden.encode("the swift"))
    let names = try FileManager.default.contentsOfDirectory(atPath: deep).sorted()
    #expect(names == ["tokenizer.json", "tokenizer_config.json"])
  }

  @Test func byteTokenizerFilesEqualThoseOfHuggingFace() throws {
    let padded = TokenizerFile.files(of: ByteTokenizer(), padding: 65)[1].contents
    #expect(String(decoding: padded, as: UTF8.self).contains("\"pad_token\": \"A\""))
    let files = TokenizerFile.files(of: ByteTokenizer())
    #expect(!String(decoding: files[1].contents, as: UTF8.self).contains("pad_token"))
    #expect(files.map(\.name) == ["tokenizer.json", "tokenizer_config.json"])
    #expect(try files[0].contents == Goldens.bytes("bytes.json"))
    #expect(try TokenizerFile.load(from: Goldens.path("bytes.json")) is ByteTokenizer)
  }

  @Test func configurationNamesTheClassAndTheEndOfText() throws {
    let file = try #require(TokenizerFile.files(of: ByteTokenizer()).last)
    let value = try JSONReader.read(file.contents)
    #expect(value["tokenizer_class"]?.string == "PreTrainedTokenizerFast")
    #expect(value["eos_token"]?.string == "<|endoftext|>")
  }

  /// Writes the golden tokenizer as vocab.json and merges.txt.
  private func writePublishedLayout(lineEnd: String = "\n", more: String = "") throws {
    let golden = try JSONReader.read(Goldens.bytes("tokenizer.json"))
    let vocabulary = try #require(golden["model"]?["vocab"])
    try PendingFile.write(vocabulary.indented, to: folder + "/vocab.json")
    let merges = try #require(golden["model"]?["merges"]?.array).map { merge in
      (merge.array ?? []).compactMap(\.string).joined(separator: " ")
    }
    let lines = ["#version: 0.2"] + merges + [more]
    try write(lines.joined(separator: lineEnd), "merges.txt")
  }

  @Test(arguments: ["\n", "\r\n"]) func vocabJSONWithMergesTxtLoads(_ lineEnd: String) throws {
    try writePublishedLayout(lineEnd: lineEnd)
    let loaded = try TokenizerFile.load(from: folder)
    let golden = try TokenizerFile.load(from: Goldens.path("tokenizer.json"))
    #expect(TokenizerFile.fingerprint(of: loaded) == TokenizerFile.fingerprint(of: golden))
  }

  @Test(arguments: ["a", "a b c", " a", "a  b"]) func malformedMergeIsRefused(_ line: String) throws
  {
    try writePublishedLayout(more: line)
    #expect(throws: TokenizerError.malformedMerge(path: folder + "/merges.txt", line: 105)) {
      try TokenizerFile.load(from: folder)
    }
  }

  @Test func endOfTextComesFromTheConfiguration() throws {
    try writeGolden(replacing: "<|endoftext|>", with: "</s>")
    #expect(
      throws: TokenizerError.invalidVocabulary(
        .missingEndOfText("<|endoftext|>"), path: folder + "/tokenizer.json")
    ) { try TokenizerFile.load(from: folder) }
    try write(#"{"eos_token": {"content": "</s>"}}"#, "tokenizer_config.json")
    let tokenizer = try TokenizerFile.load(from: folder)
    #expect(try tokenizer.bytes(of: tokenizer.endOfText) == Array("</s>".utf8))
  }

  @Test func filesOfOlderVersionsLoad() throws {
    // Merges as strings, no type, no use_regex, and a template that adds no tokens.
    try writeGolden(replacing: "\"type\": \"BPE\",", with: "")
    var text = String(
      decoding: try TokenizerFile.contents(of: folder + "/tokenizer.json"), as: UTF8.self)
    text = text.replacing(/\[\s+"([^"]+)",\s+"([^"]+)"\s+\]/) { "\"\($0.1) \($0.2)\"" }
    #expect(text.contains("\"h e\""))
    text = text.replacingOccurrences(
      of: "\"post_processor\": null",
      with: #""post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {}}]}"#)
    text = text.replacingOccurrences(
      of: #","?\s+"use_regex": true"#, with: "", options: .regularExpression)
    #expect(!text.contains("use_regex"))
    try write(text, "tokenizer.json")
    let loaded = try TokenizerFile.load(from: folder)
    let golden = try TokenizerFile.load(from: Goldens.path("tokenizer.json"))
    #expect(TokenizerFile.fingerprint(of: loaded) == TokenizerFile.fingerprint(of: golden))
  }

  @Test(arguments: [
    ("\"normalizer\": null", "\"normalizer\": {\"type\": \"Foo\"}", "normalizer Foo"),
    (
      "\"normalizer\": null",
      "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"ByteLevel\"}]}",
      "normalizer.normalizers[0] ByteLevel"
    ),
    (
      "\"pre_tokenizer\": {\n    \"type\": \"ByteLevel\"",
      "\"pre_tokenizer\": {\n    \"type\": \"UnicodeScripts\"", "pre_tokenizer UnicodeScripts"
    ),
    (
      "\"pre_tokenizer\": {\n    \"type\": \"ByteLevel\"",
      "\"pre_tokenizer\": {\n    \"pattern\": {\"Regex\": \"(?<=a)b\"}, \"type\": \"Split\"",
      "group '(?<=' in pre_tokenizer.pattern"
    ),
    (
      "\"post_processor\": null", "\"post_processor\": {\"type\": \"Foo\"}", "post_processor Foo"
    ),
    (
      "\"decoder\": {\n    \"type\": \"ByteLevel\"", "\"decoder\": {\n    \"type\": \"CTC\"",
      "decoder CTC"
    ),
    ("\"type\": \"BPE\"", "\"type\": \"Foo\"", "model Foo"),
    ("\"type\": \"BPE\"", "\"type\": \"WordPiece\"", "model WordPiece after ByteLevel"),
    ("\"dropout\": null", "\"dropout\": 0.1", "model.dropout"),
    (
      "\"end_of_word_suffix\": null", "\"end_of_word_suffix\": \"</w>\"", "model.end_of_word_suffix"
    ),
  ])
  func errorNamesTheUnsupportedConstruct(_ old: String, _ new: String, _ construct: String) throws {
    try writeGolden(replacing: old, with: new)
    #expect(
      throws: TokenizerError.unsupported(path: folder + "/tokenizer.json", construct: construct)
    ) { try TokenizerFile.load(from: folder) }
  }

  /// Further parts of a byte-level BPE; the text round-trips with each of them.
  @Test(arguments: [
    ("\"truncation\": null", "\"truncation\": {\"max_length\": 8}"),
    ("\"padding\": null", "\"padding\": {}"),
    ("\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}"),
    ("\"use_regex\": true", "\"use_regex\": false"),
    ("\"ignore_merges\": false", "\"ignore_merges\": true"),
    ("\"lstrip\": false", "\"lstrip\": true"),
  ])
  func otherPartsOfAByteLevelBPELoad(_ old: String, _ new: String) throws {
    try writeGolden(replacing: old, with: new)
    let tokenizer = try TokenizerFile.load(from: folder)
    #expect(try tokenizer.decode(tokenizer.encode("It's late.")) == Array("It's late.".utf8))
  }

  @Test(arguments: [
    ("\"added_tokens\"", "\"other\"", "added_tokens", "present"),
    ("\"model\"", "\"other\"", "model", "present"),
    ("\"vocab\"", "\"other\"", "model.vocab", "present"),
    ("\"merges\"", "\"other\"", "model.merges", "present"),
    ("\"A\": 33", "\"A\": -1", "vocab.A", "a non-negative id of a non-empty token"),
    ("\"A\": 33", "\"A\": 3.5", "vocab.A", "a non-negative id of a non-empty token"),
    ("\"A\": 33", "\"A\": 99999999999", "vocab.A", "a non-negative id of a non-empty token"),
    ("\"id\": 0", "\"id\": \"0\"", "added_tokens[0].id", "a non-negative id"),
    ("\"merges\": [", "\"merges\": [[\"a\"],", "model.merges[0]", "a pair of tokens"),
  ])
  func invalidFieldIsRefused(_ old: String, _ new: String, _ field: String, _ expected: String)
    throws
  {
    try writeGolden(replacing: old, with: new)
    #expect(
      throws: TokenizerError.invalidField(
        path: folder + "/tokenizer.json", field: field, expected: expected)
    ) { try TokenizerFile.load(from: folder) }
  }

  @Test(
    arguments: [
      ("\"A\": 33", "\"A\": 33, \"AAAA\": 33", .duplicateID(33)),
      ("\"A\": 33", "\"A\": 5000", .missingID(33)),
      ("\"Q\": 49", "\"日\": 49", .foreignToken("日")),
      ("\"Q\": 49", "\"QQQQ\": 49", .missingByte(81)),
      ("\"id\": 0", "\"id\": 5", .duplicateToken("<|endoftext|>")),
      ("\"merges\": [", "\"merges\": [[\"a\", \"日\"],", .unknownMergeToken(index: 0, token: "日")),
      ("\"merges\": [", "\"merges\": [[\"a\", \"Z\"],", .unknownMergeToken(index: 0, token: "aZ")),
      ("\"merges\": [", "\"merges\": [[\"h\", \"e\"],", .repeatedMerge(index: 1)),
    ] as [(String, String, VocabularyDefect)])
  func defectiveVocabularyIsRefused(_ old: String, _ new: String, _ defect: VocabularyDefect) throws
  {
    try writeGolden(replacing: old, with: new)
    #expect(
      throws: TokenizerError.invalidVocabulary(defect, path: folder + "/tokenizer.json")
    ) { try TokenizerFile.load(from: folder) }
  }

  @Test func missingAndMalformedFilesAreRefused() throws {
    #expect(throws: TokenizerError.noTokenizer(folder: folder)) {
      try TokenizerFile.load(from: folder)
    }
    let missing = folder + "/missing"
    #expect(throws: TokenizerError.unreadable(path: missing, reason: "no such file or directory")) {
      try TokenizerFile.load(from: missing)
    }
    let file = folder + "/tokenizer.json"
    let whole = try Goldens.bytes("tokenizer.json")
    try PendingFile.write(Array(whole[..<(whole.count / 2)]), to: file)
    #expect(throws: TokenizerError.self) { try TokenizerFile.load(from: file) }
    try write("{\n", "tokenizer.json")
    #expect(
      throws: TokenizerError.malformedJSON(
        path: file, line: 2, reason: "a key in quotation marks is expected")
    ) { try TokenizerFile.load(from: file) }
    try write("[]", "tokenizer.json")
    #expect(
      throws: TokenizerError.noSettings(path: file, found: "a list")
    ) { try TokenizerFile.load(from: folder) }
    #expect(
      throws: TokenizerError.unreadable(path: "/dev/null", reason: "it is not a regular file")
    ) { try TokenizerFile.load(from: "/dev/null") }
  }

  @Test func unwritableFolderIsAStorageFailure() throws {
    try write("", "file")
    let path = folder + "/file/sub"
    let error = #expect(throws: TokenizerError.self) {
      try TokenizerFile.save(ByteTokenizer(), toFolder: path)
    }
    #expect(
      error
        == .unwritable(
          path: path,
          cause: .call(operation: "create the folder", path: folder + "/file", code: ENOTDIR)))
    #expect(
      error?.description
        == "cannot write \(path): not a directory; check free space and permissions")
  }

  @Test func fullDiskIsAStorageFailure() throws {
    // The write goes to a link to a device that is always full.
    let file = folder + "/tokenizer.json"
    let temporary = PendingFile.temporaryPath(for: file)
    #expect(symlink("/dev/full", temporary) == 0)
    #expect(
      throws: TokenizerError.unwritable(
        path: file, cause: .call(operation: "write", path: temporary, code: ENOSPC))
    ) { try TokenizerFile.save(ByteTokenizer(), toFolder: folder) }
    #expect(FileStatus(folder + "/tokenizer.json") == nil)
  }
}
