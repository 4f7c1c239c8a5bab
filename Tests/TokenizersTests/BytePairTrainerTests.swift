import Testing

@testable import Tokenizers

@Suite struct BytePairTrainerTests {
  private static func train(
    _ trainer: BytePairTrainer, on documents: [String]
  ) throws -> any Tokenizer {
    var counts = WordCounts()
    for document in documents { trainer.count(document, into: &counts) }
    return try trainer.train(on: counts)
  }

  @Test func trainedFileEqualsThatOfHuggingFaceByteForByte() throws {
    let corpus = String(decoding: try Goldens.bytes("corpus.txt"), as: UTF8.self)
    let tokenizer = try Self.train(BytePairTrainer(vocabularySize: 360), on: [corpus])
    #expect(tokenizer.vocabularySize == 360)
    #expect(try TokenizerFile.files(of: tokenizer)[0].contents == Goldens.bytes("tokenizer.json"))
  }

  @Test func resultDoesNotDependOnTheOrderOfDocuments() throws {
    let documents = ["low lower lowest", "new newer newest", "wide wider widest \u{0} é"]
    let trainer = try BytePairTrainer(vocabularySize: 300)
    #expect(
      TokenizerFile.fingerprint(of: try Self.train(trainer, on: documents))
        == TokenizerFile.fingerprint(of: try Self.train(trainer, on: documents.reversed())))
  }

  @Test func frequentPairsMergeFirstAndEqualCountsMergeByID() throws {
    // Pairs by count: (x, y) 3; (a, b) and (c, d) 2; (p, q) 1.
    let tokenizer = try Self.train(
      BytePairTrainer(vocabularySize: 1000), on: ["xy\nxy\nxy\ncd\ncd\nab\nab\npq"])
    let learned = try (257..<tokenizer.vocabularySize).map {
      String(decoding: try tokenizer.bytes(of: TokenID($0)), as: UTF8.self)
    }
    #expect(learned == ["xy", "ab", "cd"])
    #expect(tokenizer.encode("xy") == [257])
  }

  @Test func minimumFrequencyOfOneMergesAPairThatOccursOnce() throws {
    let trainer = try BytePairTrainer(vocabularySize: 1000, minimumFrequency: 1)
    #expect(try Self.train(trainer, on: ["pq"]).vocabularySize == 258)
  }

  @Test func trainingWithoutDocumentsLeavesTheBytes() throws {
    let tokenizer = try Self.train(BytePairTrainer(vocabularySize: 1000), on: [])
    #expect(tokenizer.vocabularySize == 257)
    #expect(tokenizer.endOfText == 0)
    // In GPT-2's order '!' is the first byte.
    #expect(tokenizer.encode("!") == [1])
  }

  @Test func noMergeProducesASpecialToken() throws {
    let trainer = try BytePairTrainer(
      vocabularySize: 300, specialTokens: ["<|endoftext|>", "user", "Ġhi"])
    let tokenizer = try Self.train(trainer, on: Array(repeating: "user users hi", count: 5))
    for text in ["user", "users", " hi"] {
      let ids = tokenizer.encode(text)
      #expect(ids.count > 1 && !ids.contains { tokenizer.isSpecial($0) })
      #expect(try tokenizer.decode(ids) == Array(text.utf8))
    }
  }

  @Test func invalidOptionsAreRefused() {
    #expect(throws: TokenizerError.vocabularyTooSmall(requested: 256, minimum: 257)) {
      try BytePairTrainer(vocabularySize: 256)
    }
    #expect(throws: TokenizerError.invalidVocabulary(.duplicateToken("<a>"), path: nil)) {
      try BytePairTrainer(vocabularySize: 300, specialTokens: ["<a>", "<a>"])
    }
    #expect(throws: TokenizerError.invalidVocabulary(.reachableSpecial("x"), path: nil)) {
      try BytePairTrainer(vocabularySize: 300, specialTokens: ["x"])
    }
  }
}
