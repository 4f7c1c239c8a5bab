/// The words of the world as tokens, and the spelling of a sequence of tokens.
///
/// A word is stored with its spelling inside a sentence (`Mira`, `I`, `kite`). The capital at the
/// start of a sentence, the spaces and the choice of *a* or *an* follow from the neighbouring
/// tokens.
struct StoryVocabulary: Sendable {
  typealias Token = UInt16

  static let unknown: Token = 0
  static let comma: Token = 1
  static let period: Token = 2
  static let openQuote: Token = 3
  static let closeQuote: Token = 4
  static let possessive: Token = 5
  static let article: Token = 6

  private var spellings: [[UInt8]] = ["?", ",", ".", "\"", "\"", "'s", "a"].map { Array($0.utf8) }
  private var tokens: [String: Token] = ["a": article, "an": article]

  /// Number of different words in the tables and the grammar.
  var wordCount: Int { tokens.count }

  /// Returns the word or punctuation mark of `token`.
  func spelling(of token: Token) -> String {
    String(decoding: spellings[Int(token)], as: UTF8.self)
  }

  /// Returns the tokens of `text`; words and marks outside the vocabulary become `unknown`.
  func tokens(of text: ArraySlice<UInt8>) -> [Token] {
    var result: [Token] = []
    result.reserveCapacity(text.count / 4)
    forEachPiece(of: text) { piece in
      switch piece {
      case .mark(let token): result.append(token)
      case .word(let range): result.append(tokens[Self.key(text[range])] ?? Self.unknown)
      }
    }
    return result
  }

  /// Returns the tokens of `text` and adds its new words to the vocabulary.
  ///
  /// In a pattern only the pronoun *I* keeps its capital; an entry of the lexicon keeps all
  /// capitals.
  mutating func addTokens(of text: String, isPattern: Bool) -> [Token] {
    let bytes = Array(text.utf8)[...]
    var result: [Token] = []
    forEachPiece(of: bytes) { piece in
      switch piece {
      case .mark(let token): result.append(token)
      case .word(let range):
        let key = Self.key(bytes[range])
        let written = String(decoding: bytes[range], as: UTF8.self)
        let spelling = !isPattern || key == "i" ? written : key
        let token = tokens[key] ?? Token(spellings.count)
        if Int(token) == spellings.count {
          spellings.append(Array(spelling.utf8))
          tokens[key] = token
        }
        precondition(
          token == Self.article || self.spelling(of: token) == spelling,
          "the word '\(spelling)' is also written '\(self.spelling(of: token))'")
        result.append(token)
      }
    }
    return result
  }

  /// Appends the spelling of the sentence `tokens`, in ASCII, to `text`.
  func spell(_ tokens: some RandomAccessCollection<Token>, into text: inout [UInt8]) {
    var previous: Token?
    var index = tokens.startIndex
    while index != tokens.endIndex {
      let token = tokens[index]
      tokens.formIndex(after: &index)
      let attaches = token != Self.openQuote && token > 0 && token < Self.article
      if previous != nil && previous != Self.openQuote && !attaches {
        text.append(UInt8(ascii: " "))
      }
      let start = text.count
      text.append(contentsOf: spellings[Int(token)])
      if token == Self.article, index != tokens.endIndex, beginsWithVowel(tokens[index]) {
        text.append(UInt8(ascii: "n"))
      }
      if previous == nil || previous == Self.openQuote, Self.isLowercase(text[start]) {
        text[start] -= 32
      }
      previous = token
    }
  }

  private func beginsWithVowel(_ token: Token) -> Bool {
    switch spellings[Int(token)][0] | 0x20 {
    case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"),
      UInt8(ascii: "u"):
      true
    default: false
    }
  }
}

// Splitting a sentence into words and punctuation marks.
extension StoryVocabulary {
  private enum Piece {
    case mark(Token)
    case word(Range<Int>)
  }

  private static func isLowercase(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
  }

  private static func key(_ word: ArraySlice<UInt8>) -> String {
    String(unsafeUninitializedCapacity: word.count) { key in
      var length = 0
      for byte in word {
        // Words are ASCII letters and hyphens, and the hyphen already has the bit 0x20 set.
        key[length] = byte | 0x20
        length += 1
      }
      return length
    }
  }

  // Words are runs of ASCII letters and hyphens, `'s` is a mark, and quotation marks open and close
  // alternately.
  private func forEachPiece(of text: ArraySlice<UInt8>, _ body: (Piece) -> Void) {
    var index = text.startIndex
    let end = text.endIndex
    var isQuoted = false
    while index < end {
      let start = index
      while index < end, Self.isLowercase(text[index] | 0x20) || text[index] == UInt8(ascii: "-") {
        index += 1
      }
      if index > start {
        body(.word(start..<index))
        continue
      }
      index += 1
      switch text[start] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"): break
      case UInt8(ascii: ","): body(.mark(Self.comma))
      case UInt8(ascii: "."): body(.mark(Self.period))
      case UInt8(ascii: "\""):
        body(.mark(isQuoted ? Self.closeQuote : Self.openQuote))
        isQuoted.toggle()
      case UInt8(ascii: "'") where index < end && text[index] == UInt8(ascii: "s"):
        index += 1
        body(.mark(Self.possessive))
      default: body(.mark(Self.unknown))
      }
    }
  }
}
