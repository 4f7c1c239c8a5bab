/// A set of Unicode scalars, stored as the distinct pages of 256 bits.
struct ScalarSet: Sendable {
  /// The page number of each block of 256 scalars; page 0 is empty.
  private let pages: [UInt16]
  /// The pages, four words each.
  private let words: [UInt64]

  /// Reads the set from `table`, which is one of `UnicodeTables`.
  init(table: String) {
    var numbers = TableNumbers(table)
    var members = [UInt64](repeating: 0, count: 0x110000 / 64)
    var start = 0
    while let gap = numbers.next(), let count = numbers.next() {
      start += gap
      for scalar in start..<start + count { members[scalar >> 6] |= 1 << UInt64(scalar & 63) }
      start += count
    }
    var pages: [UInt16] = []
    var words = [UInt64](repeating: 0, count: 4)
    for page in 0..<0x1100 {
      let own = members[page * 4..<page * 4 + 4]
      let known = (0..<words.count / 4).first { words[$0 * 4..<$0 * 4 + 4] == own }
      pages.append(UInt16(known ?? words.count / 4))
      if known == nil { words += own }
    }
    self.pages = pages
    self.words = words
  }

  /// Returns true when `scalar` is a member; a value above U+10FFFF is not.
  @inline(__always)
  func contains(_ scalar: UInt32) -> Bool {
    guard scalar < 0x110000 else { return false }
    let page = Int(pages[Int(scalar >> 8)])
    return words[page * 4 + Int(scalar >> 6 & 3)] >> UInt64(scalar & 63) & 1 == 1
  }

  /// The control characters that BertNormalizer removes.
  static let control = ScalarSet(table: UnicodeTables.control)
  /// The Chinese characters that BertNormalizer surrounds with spaces.
  static let chinese = ScalarSet(table: UnicodeTables.chinese)
  /// The nonspacing marks that BertNormalizer strips as accents.
  static let nonspacing = ScalarSet(table: UnicodeTables.nonspacing)
  /// The marks that StripAccents removes.
  static let marks = ScalarSet(table: UnicodeTables.marks)
  /// The punctuation that BertPreTokenizer and Punctuation isolate.
  static let punctuation = ScalarSet(table: UnicodeTables.punctuation)
  /// The word characters: `\w` of the pre-tokenizer Whitespace.
  static let word = ScalarSet(table: UnicodeTables.word)
  /// The numeric characters at which Digits splits.
  static let numeric = ScalarSet(table: UnicodeTables.numeric)
}

/// Reads the numbers of a table in `UnicodeTables`, which are little-endian base-128.
struct TableNumbers {
  private let bytes: [UInt8]
  private var position = 0

  init(_ table: String) {
    bytes = Base64.decode(table.utf8) ?? []
    precondition(!bytes.isEmpty, "a table of UnicodeTables is not base 64")
  }

  /// Returns the next number; nil at the end.
  mutating func next() -> Int? {
    var value = 0
    var shift = 0
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      value |= Int(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }
}
