/// The general category of every scalar in Unicode 16.0, for patterns such as `\p{Lu}`.
///
/// As in `CharacterClasses`, scalars assigned later count as unassigned, as they do in Hugging Face
/// tokenizers, whatever the toolchain's Unicode version.
struct GeneralCategories: Sendable {
  /// The table, computed at first use from the standard library's properties.
  static let unicode16 = GeneralCategories()

  /// The short names of the categories, in the order of their bits.
  static let names = [
    "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi",
    "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
  ]
  /// The categories, in the order of `names`.
  private static let categories: [Unicode.GeneralCategory] = [
    .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
    .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber,
    .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
    .initialPunctuation, .finalPunctuation, .otherPunctuation, .mathSymbol, .currencySymbol,
    .modifierSymbol, .otherSymbol, .spaceSeparator, .lineSeparator, .paragraphSeparator, .control,
    .format, .surrogate, .privateUse, .unassigned,
  ]

  /// Returns the bits of the categories whose name begins with `name`, such as `L`; nil for none.
  static func mask(named name: String) -> UInt32? {
    var mask: UInt32 = 0
    for (bit, category) in names.enumerated() where category.hasPrefix(name) { mask |= 1 << bit }
    return name.isEmpty || mask == 0 ? nil : mask
  }

  /// The end of the ideographic planes; tags, variation selectors and private use follow.
  static let limit: UInt32 = 0x32400
  static let tags: Range<UInt32> = 0xE0000..<0xE0200

  private let codes: [UInt8]
  private let tagCodes: [UInt8]

  private init() {
    // Neighbours mostly have the same category.
    var last = (category: Unicode.GeneralCategory.unassigned, code: UInt8(29))
    func code(_ value: UInt32) -> UInt8 {
      guard let scalar = Unicode.Scalar(value) else { return 27 }
      guard scalar.isKnown(to: 16) else { return 29 }
      let category = scalar.properties.generalCategory
      if category != last.category {
        last = (category, UInt8(Self.categories.firstIndex(of: category) ?? 29))
      }
      return last.code
    }
    codes = (0..<Self.limit).map(code)
    tagCodes = Self.tags.map(code)
  }

  /// Returns the bit of the category of `scalar`; a value that is not a scalar counts as
  /// unassigned.
  @inline(__always)
  func bit(of scalar: UInt32) -> UInt32 {
    if scalar < Self.limit { return 1 << UInt32(codes[Int(scalar)]) }
    if Self.tags.contains(scalar) {
      return 1 << UInt32(tagCodes[Int(scalar - Self.tags.lowerBound)])
    }
    switch scalar {
    case 0xF0000...0xFFFFD, 0x100000...0x10FFFD: return 1 << 28
    default: return 1 << 29
    }
  }
}
