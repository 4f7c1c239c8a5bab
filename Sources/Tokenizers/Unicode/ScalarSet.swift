/// A set of Unicode scalars: one page of 256 bits for each page that differs from others.
struct ScalarSet: Sendable {
  /// The number of the page of each 256 scalars; page 0 is empty.
  private let pages: [UInt16]
  /// Four words a page.
  private let words: [UInt64]

  /// The set written as `table` in `UnicodeTables`.
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

  /// Whether `scalar` is a member; what is no scalar is not.
  @inline(__always)
  func contains(_ scalar: UInt32) -> Bool {
    guard scalar < 0x110000 else { return false }
    let page = Int(pages[Int(scalar >> 8)])
    return words[page * 4 + Int(scalar >> 6 & 3)] >> UInt64(scalar & 63) & 1 == 1
  }

  /// What BertNormalizer's cleaning removes.
  static let control = ScalarSet(table: UnicodeTables.control)
  /// What BertNormalizer puts spaces around: Chinese characters.
  static let chinese = ScalarSet(table: UnicodeTables.chinese)
  /// What BertNormalizer strips as an accent.
  static let nonspacing = ScalarSet(table: UnicodeTables.nonspacing)
  /// What StripAccents removes.
  static let marks = ScalarSet(table: UnicodeTables.marks)
  /// What BertPreTokenizer and Punctuation isolate.
  static let punctuation = ScalarSet(table: UnicodeTables.punctuation)
  /// `\w` of the pre-tokenizer Whitespace.
  static let word = ScalarSet(table: UnicodeTables.word)
  /// What Digits splits off.
  static let numeric = ScalarSet(table: UnicodeTables.numeric)
}

/// The numbers of a table in `UnicodeTables`.
struct TableNumbers {
  private let bytes: [UInt8]
  private var position = 0

  init(_ table: String) {
    bytes = Base64.decode(table.utf8) ?? []
    precondition(!bytes.isEmpty, "a table of UnicodeTables is not base 64")
  }

  /// The next number; nil at the end.
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
