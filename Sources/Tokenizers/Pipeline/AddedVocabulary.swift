/// A token that is found in the text before everything else, such as `<|im_end|>` or `[MASK]`.
struct AddedToken: Sendable {
  let id: TokenID
  let content: String
  /// Whether it must stand alone, not inside a word.
  let isSingleWord: Bool
  /// Whether it takes the white space on its left with it.
  let stripsLeft: Bool
  /// Whether it takes the white space on its right with it.
  let stripsRight: Bool
  /// Whether it is looked for in the normalized text, in its own normalized form.
  let isNormalized: Bool
  /// Whether it has a meaning for the model, not one as text.
  let isSpecial: Bool
}

/// The added tokens of a tokenizer.
struct AddedVocabulary: Sendable {
  /// The tokens in the order of the file.
  let tokens: [AddedToken]
  private var byID: [TokenID: Int] = [:]
  /// Tokens looked for in the original text.
  private var plain = TokenTrie([])
  /// Tokens looked for in the normalized text.
  private var normalized = TokenTrie([])
  private let hasPlain: Bool
  private let hasNormalized: Bool

  /// `tokens`, whose normalized forms are what `normalizer` makes of them.
  init(_ tokens: [AddedToken], normalizer: (any Normalizer)?) {
    self.tokens = tokens
    hasPlain = tokens.contains { !$0.isNormalized }
    hasNormalized = tokens.contains(where: \.isNormalized)
    // Special tokens first, as in Hugging Face tokenizers: of two that read alike the first stays.
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

  /// The added token `id`; nil when it is none.
  func token(_ id: TokenID) -> AddedToken? { byID[id].map { tokens[$0] } }

  /// Which tokens to look for.
  enum Stage {
    case original
    case normalized
  }

  /// The tokens of `stage` in `bytes`, leftmost and longest first, with the white space they take;
  /// special ones are passed over unless `findsSpecial`.
  func matches(
    in bytes: UnsafeBufferPointer<UInt8>, _ stage: Stage, findsSpecial: Bool
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
      if token.isSpecial, !findsSpecial { continue }
      if token.isSingleWord, Self.touchesWord(range, bytes) { continue }
      if token.stripsLeft { range = max(taken, Self.spaceStart(before: range, bytes))..<match.end }
      if token.stripsRight { range = range.lowerBound..<Self.spaceEnd(behind: range, bytes) }
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
    behind range: Range<Int>, _ bytes: UnsafeBufferPointer<UInt8>
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
