/// WordPiece: greedy longest match from left to right (Devlin et al., 2018).
struct WordPieceModel: TokenizerModel {
  private let beginnings: TokenTrie
  /// The tokens that continue a word, without their prefix.
  private let continuations: TokenTrie
  private let unknownID: TokenID
  private let maximumLength: Int

  var unknown: TokenID? { unknownID }

  /// Creates a model of `entries`, in which continuations begin with `prefix`; a word of more than
  /// `maximumLength` characters, or one that tokens cannot cover, becomes `unknown`.
  init(
    _ entries: [(token: [UInt8], id: TokenID)], prefix: [UInt8], unknown: TokenID,
    maximumLength: Int
  ) {
    beginnings = TokenTrie(entries)
    continuations = TokenTrie(
      entries.lazy.filter { $0.token.starts(with: prefix) }
        .map { (token: Array($0.token.dropFirst(prefix.count)), id: $0.id) })
    unknownID = unknown
    self.maximumLength = maximumLength
  }

  func tokenize(_ word: UnsafeBufferPointer<UInt8>, into tokens: inout TokenBuffer) {
    if word.count > maximumLength, isTooLong(word) {
      return tokens.append(unknownID, 0, word.count)
    }
    if let (end, id) = beginnings.longestPrefix(of: word, at: 0), end == word.count {
      return tokens.append(id, 0, end)
    }
    withUnsafeTemporaryAllocation(of: (Int, TokenID).self, capacity: word.count) { parts in
      var count = 0
      var start = 0
      while start < word.count {
        let trie = start == 0 ? beginnings : continuations
        guard let (end, id) = trie.longestPrefix(of: word, at: start) else {
          return tokens.append(unknownID, 0, word.count)
        }
        parts.initializeElement(at: count, to: (end, id))
        count += 1
        start = end
      }
      start = 0
      for (end, id) in parts[..<count] {
        tokens.append(id, start, end)
        start = end
      }
    }
  }

  private func isTooLong(_ word: UnsafeBufferPointer<UInt8>) -> Bool {
    word.count { $0 & 0xC0 != 0x80 } > maximumLength
  }
}

/// WordLevel: every word is one token, or unknown.
struct WordLevelModel: TokenizerModel {
  let vocabulary: Vocabulary
  private let unknownID: TokenID

  var unknown: TokenID? { unknownID }

  init(vocabulary: Vocabulary, unknown: TokenID) {
    self.vocabulary = vocabulary
    unknownID = unknown
  }

  func tokenize(_ word: UnsafeBufferPointer<UInt8>, into tokens: inout TokenBuffer) {
    tokens.append(vocabulary.id(of: word) ?? unknownID, 0, word.count)
  }
}
