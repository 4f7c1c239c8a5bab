import RandomNumbers
import Testing

@testable import Tokenizers

@Suite struct BytePairTokenizerTests {
  private let tokenizer: any Tokenizer

  init() throws {
    tokenizer = try TokenizerFile.load(from: Goldens.path("tokenizer.json"))
  }

  /// Returns all bytes, then `words`, then the end of text.
  private static func tokens(_ words: String...) -> [[UInt8]] {
    (UInt8.min...UInt8.max).map { [$0] } + words.map { Array($0.utf8) }
      + [Array("<|endoftext|>".utf8)]
  }

  @Test func idsEqualThoseOfHuggingFace() throws {
    let cases = try Goldens.strings()
    #expect(cases.count > 300)
    for (text, ids) in cases {
      #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
      #expect(try tokenizer.decode(ids) == Array(text.utf8))
    }
  }

  @Test func decodingReturnsTheEncodedBytes() throws {
    var random = RandomSequence(RandomStream(seed: 1, purpose: .probe, 0))
    for length in 0..<200 {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      let ids = tokenizer.encode(bytes)
      #expect(try tokenizer.decode(ids) == bytes)
      #expect(ids.allSatisfy { (0..<tokenizer.vocabularySize).contains(Int($0)) })
    }
  }

  /// Compares both merge loops with the definition, over words around the length at which the loop
  /// changes.
  @Test func bothMergeLoopsFollowTheDefinition() throws {
    let words = ["ab", "ba", "aa", "aba", "abab", "aabb", "bb", "abba", "aaaa"]
    let splits = [(0, 1), (1, 0), (0, 0), (2, 0), (2, 2), (4, 8), (1, 1), (2, 3), (4, 4)]
    let tokens = words.map { Array($0.utf8) }
    func id(_ index: Int) -> TokenID { TokenID(256 + index) }
    let parts: [TokenID] = [97, 98] + tokens.indices.map(id)
    var merges: [BytePairTokenizer.Merge] = []
    for (word, (left, right)) in zip(tokens, splits) {
      // In `splits`, 0 stands for a, 1 for b, and 2… for the words in order.
      let all = [[97], [98]] + tokens
      if all[left] + all[right] == word { merges.append(.init(parts[left], parts[right])) }
    }
    #expect(merges.count >= 6)
    let tokenizer = try BytePairTokenizer(
      tokens: (UInt8.min...UInt8.max).map { [$0] } + tokens + [Array("<|endoftext|>".utf8)],
      merges: merges, specialTokens: [265], endOfText: 265)
    var random = RandomSequence(RandomStream(seed: 2, purpose: .probe, 0))
    for length in [1, 2, 5, 30, 31, 32, 33, 34, 60, 90] {
      for _ in 0..<12 {
        let word = (0..<length).map { _ in UInt8.random(in: 97...98, using: &random) }
        #expect(tokenizer.encode(word) == Self.naive(word, tokenizer), "\(word)")
      }
    }
  }

  private static func naive(_ word: [UInt8], _ tokenizer: BytePairTokenizer) -> [TokenID] {
    var ids = word.map { TokenID($0) }
    while true {
      var best: (rank: Int, index: Int)?
      for index in ids.indices.dropLast() {
        let pair = BytePairTokenizer.Merge(ids[index], ids[index + 1])
        guard let rank = tokenizer.merges.firstIndex(of: pair) else { continue }
        if rank < best?.rank ?? Int.max { best = (rank, index) }
      }
      guard let best else { return ids }
      // Merges are in the order of the words, skipping those that do not fit.
      let merge = tokenizer.merges[best.rank]
      let joined = try? tokenizer.decode([merge.left, merge.right])
      let merged = (0..<tokenizer.vocabularySize).first { id in
        (try? tokenizer.bytes(of: TokenID(id))) == joined
      }
      ids.replaceSubrange(best.index...best.index + 1, with: [TokenID(merged ?? -1)])
    }
  }

  /// A quadratic loop would take minutes here.
  @Test(.timeLimit(.minutes(1))) func encodingALongWordIsNotQuadratic() throws {
    let tokenizer = try BytePairTokenizer(
      tokens: Self.tokens("aa", "aaaa", "  "),
      merges: [.init(97, 97), .init(256, 256), .init(32, 32)], specialTokens: [259], endOfText: 259)
    let letters = [UInt8](repeating: 97, count: 100_003)
    #expect(
      tokenizer.encode(letters) == [TokenID](repeating: 257, count: 25_000) + [256, 97])
    let spaces = [UInt8](repeating: 32, count: 100_000) + [97]
    #expect(tokenizer.encode(spaces).count == 49_999 + 3)
  }

  @Test func plainTextNeverYieldsASpecialToken() throws {
    let ids = tokenizer.encode("<|endoftext|> <|endoftext|>")
    #expect(!ids.contains { tokenizer.isSpecial($0) })
    #expect(tokenizer.isSpecial(tokenizer.endOfText))
    #expect(try tokenizer.bytes(of: tokenizer.endOfText) == Array("<|endoftext|>".utf8))
    #expect(!tokenizer.isSpecial(-1) && !tokenizer.isSpecial(TokenID.max))
    let pair = try #require(tokenizer as? BytePairTokenizer)
    #expect(pair.specialToken("<|endoftext|>") == 0)
    #expect(pair.specialToken("a") == nil)
    #expect(throws: TokenizerError.unknownID(id: 360, vocabularySize: 360)) {
      try tokenizer.bytes(of: 360)
    }
  }

  @Test(
    arguments: [
      (tokens("ab", "ab"), [], 258, .duplicateToken("ab")),
      (Array(tokens("ab")[1...]), [], 256, .missingByte(0)),
      (tokens("ab"), [.init(97, 999)], 257, .unknownMergeToken(index: 0, token: "999")),
      (tokens("ab"), [.init(97, 99)], 257, .unknownMergeToken(index: 0, token: "ac")),
      (tokens("ab"), [.init(97, 98), .init(97, 98)], 257, .repeatedMerge(index: 1)),
      (tokens("ab"), [.init(97, 98)], 256, .reachableSpecial("ab")),
      (tokens(" a", "Ġa"), [], 257, .duplicateToken("Ġa")),
    ] as [([[UInt8]], [BytePairTokenizer.Merge], TokenID, VocabularyDefect)])
  func defectiveVocabularyIsRefused(
    _ tokens: [[UInt8]], _ merges: [BytePairTokenizer.Merge], _ special: TokenID,
    _ defect: VocabularyDefect
  ) {
    #expect(throws: TokenizerError.invalidVocabulary(defect, path: nil)) {
      try BytePairTokenizer(
        tokens: tokens, merges: merges, specialTokens: [special], endOfText: special)
    }
  }

  @Test func endOfTextMustBeSpecial() {
    #expect(throws: TokenizerError.invalidVocabulary(.missingEndOfText("id 97"), path: nil)) {
      try BytePairTokenizer(tokens: Self.tokens(), merges: [], specialTokens: [256], endOfText: 97)
    }
    #expect(throws: TokenizerError.unknownID(id: 300, vocabularySize: 257)) {
      try BytePairTokenizer(tokens: Self.tokens(), merges: [], specialTokens: [300], endOfText: 300)
    }
  }
}
