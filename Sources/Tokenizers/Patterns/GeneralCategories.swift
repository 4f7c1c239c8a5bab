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

  /// Returns the bits of the categories whose name begins with `name`, such as `L`; nil for none.
  static func mask(named name: String) -> UInt32? {
    var mask: UInt32 = 0
    for (bit, category) in names.enumerated() where category.hasPrefix(name) { mask |= 1 << bit }
    return name.isEmpty || mask == 0 ? nil : mask
  }

  /// The end of the ideographic planes; tags, variation selectors and private use follow.
  private static let limit: UInt32 = 0x32400
  private static let tags: Range<UInt32> = 0xE0000..<0xE0200

  private let codes: [UInt8]
  private let tagCodes: [UInt8]

  private init() {
    codes = (0..<Self.limit).map(Self.code)
    tagCodes = Self.tags.map(Self.code)
  }

  private static func code(_ value: UInt32) -> UInt8 {
    guard let properties = Unicode.Scalar(value)?.properties else { return 27 }
    guard let age = properties.age, age.major <= 16 else { return 29 }
    return switch properties.generalCategory {
    case .uppercaseLetter: 0
    case .lowercaseLetter: 1
    case .titlecaseLetter: 2
    case .modifierLetter: 3
    case .otherLetter: 4
    case .nonspacingMark: 5
    case .spacingMark: 6
    case .enclosingMark: 7
    case .decimalNumber: 8
    case .letterNumber: 9
    case .otherNumber: 10
    case .connectorPunctuation: 11
    case .dashPunctuation: 12
    case .openPunctuation: 13
    case .closePunctuation: 14
    case .initialPunctuation: 15
    case .finalPunctuation: 16
    case .otherPunctuation: 17
    case .mathSymbol: 18
    case .currencySymbol: 19
    case .modifierSymbol: 20
    case .otherSymbol: 21
    case .spaceSeparator: 22
    case .lineSeparator: 23
    case .paragraphSeparator: 24
    case .control: 25
    case .format: 26
    case .surrogate: 27
    case .privateUse: 28
    default: 29
    }
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
