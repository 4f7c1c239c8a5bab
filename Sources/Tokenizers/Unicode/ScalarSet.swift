/// A set of Unicode scalars, stored as the distinct pages of 256 bits.
struct ScalarSet: Sendable {
  /// The page number of each block of 256 scalars.
  private var pages: [UInt16] = []
  /// The pages, four words each.
  private var words: [UInt64] = []

  /// Creates the set of the scalars below private use that Unicode `version` has in one of
  /// `categories`, and of `others`, without `excluded`.
  private init(
    _ categories: [String] = [], of version: Int = 16, adding others: [ClosedRange<Int>] = [],
    removing excluded: [Int] = []
  ) {
    let mask = categories.compactMap(GeneralCategories.mask).reduce(0, |)
    var members = [UInt64](repeating: 0, count: 0x110000 / 64)
    let table = GeneralCategories.unicode16
    for values in [0..<GeneralCategories.limit, GeneralCategories.tags] {
      for value in values where table.bit(of: value) & mask != 0 {
        guard let scalar = Unicode.Scalar(value), scalar.isKnown(to: version) else { continue }
        members[Int(value >> 6)] |= 1 << UInt64(value & 63)
      }
    }
    for value in others.joined() { members[value >> 6] |= 1 << UInt64(value & 63) }
    for value in excluded { members[value >> 6] &= ~(1 << UInt64(value & 63)) }

    var known: [ArraySlice<UInt64>: UInt16] = [:]
    for start in stride(from: 0, to: members.count, by: 4) {
      let page = members[start..<start + 4]
      if known[page] == nil {
        known[page] = UInt16(known.count)
        words += page
      }
      pages.append(known[page] ?? 0)
    }
  }

  /// Returns true when `scalar` is a member; a value above U+10FFFF is not.
  @inline(__always)
  func contains(_ scalar: UInt32) -> Bool {
    guard scalar < 0x110000 else { return false }
    let page = Int(pages[Int(scalar >> 8)])
    return words[page * 4 + Int(scalar >> 6 & 3)] >> UInt64(scalar & 63) & 1 == 1
  }
}

/// The sets of Hugging Face tokenizers (0.23.3).
///
/// The crate takes its properties from libraries with tables of different Unicode versions. The
/// scalars in `adding` and `removing` have changed their category since then, or are exceptions of
/// the crate. `Goldens/unicode_tables.py` of the tests measures all sets from the crate.
extension ScalarSet {
  /// The control characters that BertNormalizer removes.
  static let control = ScalarSet(
    ["Cc", "Cf", "Co"], of: 7,
    adding: [0xFFFD...0xFFFD, 0xF0000...0xFFFFD, 0x100000...0x10FFFD], removing: [0x09, 0x0A, 0x0D])
  /// The Chinese characters that BertNormalizer surrounds with spaces.
  static let chinese = ScalarSet(adding: [
    0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F,
    0x2B920...0x2CEAF, 0x2F800...0x2FA1F,
  ])
  /// The nonspacing marks that BertNormalizer strips as accents.
  static let nonspacing = ScalarSet(
    ["Mn"], of: 8, adding: [0x1734...0x1734, 0x1171E...0x1171E],
    removing: [0x1885, 0x1886, 0xA9BD, 0x111C9])
  /// The marks that StripAccents removes.
  static let marks = ScalarSet(["M"], of: 9, adding: [0x1CF2...0x1CF3], removing: [0x111C9])
  /// The punctuation beyond ASCII that BertPreTokenizer and Punctuation isolate.
  static let punctuation = ScalarSet(
    ["P"], of: 8, adding: [0x166D...0x166D, 0x111C9...0x111C9])
  /// The word characters, `\w` of the pre-tokenizer Whitespace; among the symbols, the letters in
  /// circles and squares.
  static let word = ScalarSet(
    ["L", "M", "Nd", "Nl", "Pc"],
    adding: [
      0x200C...0x200D, 0x24B6...0x24E9, 0x1F130...0x1F149, 0x1F150...0x1F169, 0x1F170...0x1F189,
    ])
  /// The numeric characters at which Digits splits, those of Unicode 17.0 included.
  static let numeric = ScalarSet(["N"], adding: [0x11DE0...0x11DE9, 0x16FF4...0x16FF6])
}

extension Unicode.Scalar {
  /// Returns true when Unicode `version`.0 has assigned the scalar.
  func isKnown(to version: Int) -> Bool {
    properties.age.map { $0.major <= version } ?? false
  }
}
