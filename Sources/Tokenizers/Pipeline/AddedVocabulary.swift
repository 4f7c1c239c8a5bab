/// A token that is found in the text before pre-tokenization, such as `<|im_end|>` or `[MASK]`.
struct AddedToken: Sendable {
  let id: TokenID
  let content: String
  /// True when the token only matches outside of words.
  let isSingleWord: Bool
  /// True when the match includes the white space on its left.
  let stripsLeft: Bool
  /// True when the match includes the white space on its right.
  let stripsRight: Bool
  /// True when the token's normalized form is matched against the normalized text.
  let isNormalized: Bool
  /// True for a special token, which controls the model and is not text.
  let isSpecial: Bool
}

/// The added tokens of a tokenizer.
struct AddedVocabulary: Sendable {
  /// The added tokens in the order of the file.
  let tokens: [AddedToken]
  private var byID: [TokenID: Int] = [:]
  /// The tokens to match in the original text, with their index in `tokens`.
  private var plain = TokenTrie([])
  /// The tokens to match in the normalized text, with their index in `tokens`.
  private var normalized = TokenTrie([])
  private let hasPlain: Bool
  private let hasNormalized: Bool

  /// Creates the vocabulary of `tokens`; `normalizer` yields their normalized forms.
  init(_ tokens: [AddedToken], normalizer: (any Normalizer)?) {
    self.tokens = tokens
    hasPlain = tokens.contains { !$0.isNormalized }
    hasNormalized = tokens.contains(where: \.isNormalized)
    // Special tokens first, as in Hugging Face tokenizers: of two equal texts the first wins.
    for (index, token) in tokens.enumerated() where token.isSpecial {
      add(token, index, normalizer)
    }
    for (index, token) in tokens.enumerated() where !token.isSpecial {
      add(token, index, normalizer)
    }
  }

  private mutating func add(_ token: AddedToken, _ index: Int, _ normalizer: (any Normalizer)?) {
    byID[token.id] = index
    if token.isNormalized {
      var text = NormalizedText(Array(token.content.utf8), offset: 0, tracked: false)
      normalizer?.normalize(&text)
      normalized.insert(text.bytes, TokenID(index))
    } else {
      plain.insert(Array(token.content.utf8), TokenID(index))
    }
  }

  /// Returns the added token `id`; nil when `id` is not an added token.
  func token(_ id: TokenID) -> AddedToken? { byID[id].map { tokens[$0] } }

  /// The text in which tokens are matched.
  enum Stage {
    case original
    case normalized
  }

  /// Returns the tokens of `stage` found in `bytes`, leftmost and longest first, with the white
  /// space that they include; special tokens are skipped where `admitsSpecial` is false for their
  /// range, which is without this white space.
  func matches(
    in bytes: UnsafeBufferPointer<UInt8>, _ stage: Stage, admitsSpecial: (Range<Int>) -> Bool
  ) -> [(range: Range<Int>, token: AddedToken)] {
    guard stage == .original ? hasPlain : hasNormalized else { return [] }
    let trie = stage == .original ? plain : normalized
    var found: [(range: Range<Int>, token: AddedToken)] = []
    var taken = 0
    var index = 0
    while index < bytes.count {
      guard trie.hasRoot(bytes[index]), let match = trie.longestPrefix(of: bytes, at: index) else {
        index += 1
        continue
      }
      let token = tokens[Int(match.id)]
      var range = index..<match.end
      index = match.end
      if token.isSpecial, !admitsSpecial(range) { continue }
      if token.isSingleWord, Self.touchesWord(range, bytes) { continue }
      if token.stripsLeft { range = max(taken, Self.spaceStart(before: range, bytes))..<match.end }
      if token.stripsRight { range = range.lowerBound..<Self.spaceEnd(after: range, bytes) }
      found.append((range, token))
      taken = range.upperBound
    }
    return found
  }

  private static func touchesWord(
    _ range: Range<Int>, _ bytes: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    func isWord(_ read: ReadScalar) -> Bool { ScalarSet.word.contains(read.value) }
    return range.lowerBound > 0 && isWord(bytes.scalar(endingAt: range.lowerBound))
      || range.upperBound < bytes.count && isWord(bytes.scalar(at: range.upperBound))
  }

  private static func spaceStart(
    before range: Range<Int>, _ bytes: UnsafeBufferPointer<UInt8>
  ) -> Int {
    var start = range.lowerBound
    while start > 0 {
      let read = bytes.scalar(endingAt: start)
      if !isWhiteSpace(read.value) { break }
      start -= read.length
    }
    return start
  }

  private static func spaceEnd(
    after range: Range<Int>, _ bytes: UnsafeBufferPointer<UInt8>
  ) -> Int {
    var end = range.upperBound
    while end < bytes.count {
      let read = bytes.scalar(at: end)
      if !isWhiteSpace(read.value) { break }
      end += read.length
    }
    return end
  }
}
