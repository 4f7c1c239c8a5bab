import Files
import Testing

@testable import Tokenizers

/// New tokens for frequent words; the golden ids come from Hugging Face tokenizers by
/// `Goldens/extended.py`.
@Suite struct VocabularyExtensionTests {
  static let names = ["gpt2", "llama3", "qwen", "smollm2", "bert", "bert_cased", "bytes"]

  /// The repository's license, as a text of one domain: contracts.
  private static let license = FileSystem.join(
    FileSystem.parent(of: FileSystem.parent(of: FileSystem.parent(of: #filePath))), "LICENSE")

  private static func base(_ name: String) throws -> any Tokenizer {
    name == "bytes"
      ? ByteTokenizer() : try TokenizerFile.load(from: Goldens.path("pipelines/\(name).json"))
  }

  private static func counts(
    _ trainer: VocabularyExtension, threads: Int = 1
  ) throws -> WordCounts {
    var counts = WordCounts()
    let documents = try TokenizerFile.contents(of: license).split(separator: 0x0A).map { Array($0) }
    counts.add(documents, cutBy: trainer, threads: threads)
    return counts
  }

  /// Extends `base` with the options of the generator.
  private static func extended(_ base: any Tokenizer) throws -> any Tokenizer {
    let trainer = try VocabularyExtension(of: base, tokens: 40, minimumFrequency: 3)
    return try trainer.train(on: try counts(trainer), threads: 1)
  }

  @Test(arguments: names) func idsEqualThoseOfHuggingFace(name: String) throws {
    let golden = try JSONReader.read(Goldens.bytes("extended.json"))
    let cases = try #require(golden[name]?["ids"]?.array)
    let texts = (golden["texts"]?.array ?? []).compactMap(\.string)
    let tokenizer = try Self.extended(try Self.base(name))
    #expect(tokenizer.vocabularySize == golden[name]?["size"]?.integer)
    #expect(texts.count == cases.count && texts.count > 100)
    var newIDs: Set<TokenID> = []
    for (text, ids) in zip(texts, cases) {
      let expected = (ids.array ?? []).map { TokenID($0.integer ?? -1) }
      let found = tokenizer.encode(text)
      #expect(found == expected, "\(text)")
      newIDs.formUnion(found.filter { Int($0) >= golden[name]?["old"]?.integer ?? 0 })
    }
    #expect(newIDs.count > 5, "\(newIDs)")
  }

  /// Old tokens keep their ids and bytes, and texts without the words keep their encoding.
  @Test(arguments: names) func oldTokensAndTextsKeepTheirIDs(name: String) throws {
    let base = try Self.base(name)
    let tokenizer = try Self.extended(base)
    #expect(tokenizer.vocabularySize > base.vocabularySize)
    #expect(tokenizer.vocabularySize <= base.vocabularySize + 40)
    #expect(tokenizer.endOfText == base.endOfText)
    for id in 0..<TokenID(base.vocabularySize) {
      #expect(try tokenizer.bytes(of: id) == base.bytes(of: id))
      #expect(tokenizer.isSpecial(id) == base.isSpecial(id))
    }
    for text in ["12 + 34 = 46; x0 \u{1F426}\u{1F3FD}?!", "q zx wv", "\t\n  \r\n", ""] {
      #expect(tokenizer.encode(text) == base.encode(text), "\(text)")
    }
    // The saved tokenizer reloads unchanged.
    let again = try TokenizerFile.reread(tokenizer)
    #expect(TokenizerFile.fingerprint(of: again) == TokenizerFile.fingerprint(of: tokenizer))
  }

  /// The most frequent split words become one token, which includes the space before them as in
  /// GPT-2.
  @Test func frequentWordsBecomeOneToken() throws {
    let base = try Self.base("bytes")
    let tokenizer = try Self.extended(base)
    let text = " the"
    #expect(base.encode(text).count == 4 && tokenizer.encode(text).count == 1)
    #expect(try tokenizer.decode(tokenizer.encode(text)) == Array(text.utf8))
    let pieces = try Self.extended(try Self.base("bert"))
    #expect(try Self.base("bert").encode("license").count > 1)
    #expect(pieces.encode("the License").count < 3)
  }

  @Test(arguments: [1, 3]) func resultDoesNotDependOnThreadsOrSerializedCounts(threads: Int) throws
  {
    let base = try Self.base("gpt2")
    let trainer = try VocabularyExtension(of: base, tokens: 25, minimumFrequency: 2)
    let whole = try trainer.train(on: try Self.counts(trainer), threads: 1)
    let sent = WordCounts(bytes: try Self.counts(trainer, threads: threads).bytes)
    let parts = try trainer.train(on: sent, threads: threads)
    #expect(TokenizerFile.fingerprint(of: whole) == TokenizerFile.fingerprint(of: parts))
    #expect(whole.vocabularySize <= base.vocabularySize + 25)
  }

  @Test(arguments: ["bytes", "llama3", "bert"]) func extendedTokenizerCanBeExtendedAgain(
    name: String
  ) throws {
    let base = try Self.base(name)
    let first = try VocabularyExtension(of: base, tokens: 10, minimumFrequency: 3)
    let one = try first.train(on: try Self.counts(first), threads: 1)
    let second = try VocabularyExtension(of: one, tokens: 10, minimumFrequency: 3)
    let two = try second.train(on: try Self.counts(second), threads: 1)
    #expect(one.vocabularySize < two.vocabularySize)
    for id in 0..<TokenID(one.vocabularySize) {
      #expect(try one.bytes(of: id) == two.bytes(of: id))
    }
  }

  @Test func otherModelsCannotBeExtended() throws {
    for name in ["t5", "llama2"] {
      let base = try Self.base(name)
      let error = try #require(throws: TokenizerError.self) {
        _ = try VocabularyExtension(of: base, tokens: 5)
      }
      #expect("\(error)".contains("cannot be extended"), "\(error)")
    }
  }
}

extension TokenizerFile {
  /// Reads `tokenizer` back from its own files.
  fileprivate static func reread(_ tokenizer: any Tokenizer) throws -> any Tokenizer {
    let files = files(of: tokenizer)
    let document = JSONFile(path: "it", root: try JSONReader.read(files[0].contents))
    if TokenizerParts.isByteLevel(document.root) {
      return try TokenizerParts(document).tokenizer(
        endOfText: String(decoding: try tokenizer.bytes(of: tokenizer.endOfText), as: UTF8.self))
    }
    return try TokenizationPipeline(
      document,
      endOfText: String(decoding: try tokenizer.bytes(of: tokenizer.endOfText), as: UTF8.self))
  }
}
