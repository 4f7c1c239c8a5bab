import Testing

@testable import Tokenizers

@Suite struct BytePairTrainerTests {
  @Test func trainedFileEqualsThatOfHuggingFaceByteForByte() throws {
    var trainer = try BytePairTrainer(vocabularySize: 360)
    trainer.add(try Goldens.bytes("corpus.txt"))
    let tokenizer = try trainer.train()
    #expect(tokenizer.vocabularySize == 360)
    #expect(try TokenizerFile.files(of: tokenizer)[0].contents == Goldens.bytes("tokenizer.json"))
  }

  @Test func resultDoesNotDependOnTheOrderOfDocuments() throws {
    let documents = ["low lower lowest", "new newer newest", "wide wider widest \u{0} é"]
    var forward = try BytePairTrainer(vocabularySize: 300)
    var backward = try BytePairTrainer(vocabularySize: 300)
    for document in documents { forward.add(document) }
    for document in documents.reversed() { backward.add(document) }
    #expect(
      TokenizerFile.fingerprint(of: try forward.train())
        == TokenizerFile.fingerprint(of: try backward.train()))
  }

  @Test func frequentPairsMergeFirstAndEqualCountsMergeByID() throws {
    // Pairs by count: (x, y) 3; (a, b) and (c, d) 2; (p, q) 1.
    var trainer = try BytePairTrainer(vocabularySize: 1000)
    trainer.add("xy\nxy\nxy\ncd\ncd\nab\nab\npq")
    let tokenizer = try trainer.train()
    let learned = try (257..<tokenizer.vocabularySize).map {
      String(decoding: try tokenizer.bytes(of: TokenID($0)), as: UTF8.self)
    }
    #expect(learned == ["xy", "ab", "cd"])
    #expect(tokenizer.encode("xy") == [257])
  }

  @Test func minimumFrequencyOfOneMergesAPairThatOccursOnce() throws {
    var trainer = try BytePairTrainer(vocabularySize: 1000, minimumFrequency: 1)
    trainer.add("pq")
    #expect(try trainer.train().vocabularySize == 258)
  }

  @Test func trainingWithoutDocumentsLeavesTheBytes() throws {
    let tokenizer = try BytePairTrainer(vocabularySize: 1000).train()
    #expect(tokenizer.vocabularySize == 257)
    #expect(tokenizer.endOfText == 0)
    // In GPT-2's order '!' is the first byte.
    #expect(tokenizer.encode("!") == [1])
  }

  @Test func noMergeProducesASpecialToken() throws {
    var trainer = try BytePairTrainer(
      vocabularySize: 300, specialTokens: ["<|endoftext|>", "user", "Ġhi"])
    for _ in 0..<5 { trainer.add("user users hi") }
    let tokenizer = try trainer.train()
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
