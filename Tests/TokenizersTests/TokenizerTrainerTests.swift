import Files
import Testing

@testable import Tokenizers

/// Tests of the WordPiece and Unigram trainers, and of the counting that all trainers share.
@Suite struct TokenizerTrainerTests {
  private static func documents() throws -> [[UInt8]] {
    try Goldens.bytes("corpus.txt").split(separator: 0x0A).map { Array($0) }
  }

  private static func trainer(_ kind: TokenizerKind, _ size: Int) throws -> any TokenizerTrainer {
    switch kind {
    case .bpe: try BytePairTrainer(vocabularySize: size)
    case .wordpiece: try WordPieceTrainer(vocabularySize: size)
    case .unigram: try UnigramTrainer(vocabularySize: size)
    }
  }

  private static func counts(
    _ trainer: any TokenizerTrainer, _ documents: [[UInt8]], threads: Int = 1
  ) -> WordCounts {
    var counts = WordCounts()
    counts.add(documents, cutBy: trainer, threads: threads)
    return counts
  }

  /// Threads count parts of the documents, ranks every third document; neither order nor division
  /// changes the result.
  @Test(arguments: TokenizerKind.allCases, [1, 2, 5])
  func trainedTokenizerDoesNotDependOnThreadsOrRanks(_ kind: TokenizerKind, _ threads: Int) throws {
    let trainer = try Self.trainer(kind, 300)
    let documents = try Self.documents()
    let whole = try trainer.train(on: Self.counts(trainer, documents), threads: 1)
    var sum = WordCounts()
    for rank in (0..<3).reversed() {
      let share = documents.indices.filter { $0 % 3 == rank }.map { documents[$0] }
      let part = Self.counts(trainer, share, threads: threads)
      let sent = WordCounts(bytes: part.bytes)
      #expect(sent.counts == part.counts)
      sum.add(sent)
    }
    let parts = try trainer.train(on: sum, threads: threads)
    #expect(TokenizerFile.fingerprint(of: whole) == TokenizerFile.fingerprint(of: parts))
  }

  /// The vocabulary equals that of Hugging Face's trainer except for the order of `##a`, `##b` …,
  /// which decides the order of merges with equal counts.
  @Test func wordPieceVocabularyAgreesWithThatOfHuggingFace() throws {
    let golden = try JSONReader.read(Goldens.bytes("trained.json"))
    let trainer = try WordPieceTrainer(vocabularySize: 120)
    let counts = Self.counts(trainer, try Self.documents())
    let trained = try trainer.train(on: counts, threads: 1)
    let tokenizer = try #require(trained as? TokenizationPipeline)
    let tokens = (0..<tokenizer.vocabularySize).map {
      String(decoding: tokenizer.vocabulary.spelling(of: TokenID($0)), as: UTF8.self)
    }
    let expected = golden["wordpiece"]?["tokens"]?.array?.compactMap(\.string) ?? []
    #expect(tokens.count == 120)
    #expect(Set(tokens).symmetricDifference(expected).count <= 4)
    let length = tokenizer.encode(try Goldens.bytes("corpus.txt")).count
    let theirs = try #require(golden["wordpiece"]?["length"]?.integer)
    #expect(abs(length - theirs) * 100 <= theirs)
  }

  @Test func unigramEncodesAsCompactlyAsThatOfHuggingFace() throws {
    let golden = try JSONReader.read(Goldens.bytes("trained.json"))
    let trainer = try UnigramTrainer(vocabularySize: 100)
    let counts = Self.counts(trainer, try Self.documents())
    let tokenizer = try trainer.train(on: counts, threads: 2)
    let length = tokenizer.encode(try Goldens.bytes("corpus.txt")).count
    let theirs = try #require(golden["unigram"]?["length"]?.integer)
    #expect(length * 100 <= theirs * 101, "\(length) tokens, theirs \(theirs)")
    // Every character of the corpus is covered.
    let unknown = try #require(tokenizer.specialToken("<unk>"))
    #expect(!tokenizer.encode(try Goldens.bytes("corpus.txt")).contains(unknown))
    #expect(tokenizer.vocabularySize <= 100)
  }

  @Test func frequentPairsMergeFirst() throws {
    let trainer = try WordPieceTrainer(vocabularySize: 15, minimumFrequency: 2)
    var counts = WordCounts()
    for _ in 0..<3 { trainer.count("xyy Xy", into: &counts) }
    let tokenizer = try trainer.train(on: counts, threads: 1)
    // Ids: five special tokens, then x, y, ##y, xy and xyy.
    #expect(tokenizer.vocabularySize == 10)
    #expect(tokenizer.encode("xyy xy y xz") == [9, 8, 6, 1])
  }

  @Test func seedPiecesAreCharactersAndFrequentSubstrings() {
    let pieces = UnigramSeed.pieces(of: [
      (Array("abab".utf8), 3), (Array("abc".utf8), 2), (Array("é".utf8), 1),
    ])
    let weights = pieces.map { "\(String(decoding: $0.piece, as: UTF8.self)) \(Int($0.weight))" }
    // ab occurs 3 + 3 + 2 times; a substring that occurs once is a seed only as a character.
    #expect(
      weights == ["a 8", "b 8", "c 2", "é 1", "ab 16", "abab 12", "bab 9", "abc 6", "bc 4"])
  }

  @Test func expectedCountsSumOverSegmentations() {
    // ab is one piece with probability p, or a and b with q²; the posterior is p / (p + q²).
    let lattice = UnigramLattice(
      ["a", "b", "ab"].map { Array($0.utf8) }, scores: [-1, -1, -1.5])
    var expected = [0.0, 0, 0]
    Array("ab".utf8).withUnsafeBufferPointer {
      lattice.addExpectations(of: $0, count: 4, to: &expected)
      #expect(lattice.best($0).pieces == [2])
      #expect(lattice.best($0, excludingWhole: true).pieces == [0, 1])
    }
    let whole = 4 * 0.6224593312018546
    #expect(abs(expected[2] - whole) < 1e-12 && abs(expected[0] - (4 - whole)) < 1e-12)
    #expect(abs(UnigramTrainer.digamma(1) + 0.5772156649015329) < 1e-9)
  }

  @Test func invalidOptionsAreRefused() {
    #expect(throws: TokenizerError.vocabularyTooSmall(requested: 5, minimum: 6)) {
      try WordPieceTrainer(vocabularySize: 5)
    }
    #expect(throws: TokenizerError.invalidVocabulary(.duplicateToken("</s>"), path: nil)) {
      try UnigramTrainer(vocabularySize: 50, otherSpecialTokens: ["</s>"])
    }
    #expect(throws: TokenizerError.vocabularyTooSmall(requested: 6, minimum: 8)) {
      let trainer = try WordPieceTrainer(vocabularySize: 6)
      var counts = WordCounts()
      trainer.count("ab", into: &counts)
      _ = try trainer.train(on: counts, threads: 1)
    }
  }
}
