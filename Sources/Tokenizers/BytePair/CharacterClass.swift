/// The classes of characters that GPT-2's pre-tokenization distinguishes.
enum CharacterClass: UInt8 {
  /// All other characters, `[^\s\p{L}\p{N}]`; also a byte that is not part of valid UTF-8.
  case other = 0
  /// `\p{L}`.
  case letter = 1
  /// `\p{N}`.
  case number = 2
  /// `\s`, the property White_Space.
  case space = 3
}

/// The class of every scalar of Unicode 16.0, two bits each.
///
/// Hugging Face tokenizers (0.23) classifies by Unicode 16.0, while a toolchain's own tables change
/// with its version. Scalars assigned later are therefore `other` here too: ids depend neither on
/// the toolchain nor on the machine.
struct CharacterClasses: Sendable {
  /// The table, computed at first use from the standard library's properties.
  static let unicode16 = CharacterClasses()

  /// The end of the table, past the last letter of Unicode 16.0, U+323AF; all scalars from here on
  /// are `other`.
  private static let limit: UInt32 = 0x32400

  private let bits: [UInt8]

  private init() {
    var bits = [UInt8](repeating: 0, count: Int(Self.limit) / 4)
    for value in 0..<Self.limit {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let kind = Self.classify(scalar.properties)
      bits[Int(value >> 2)] |= kind.rawValue << UInt8((value & 3) * 2)
    }
    self.bits = bits
  }

  private static func classify(_ properties: Unicode.Scalar.Properties) -> CharacterClass {
    guard let age = properties.age, age.major <= 16 else { return .other }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return .letter
    case .decimalNumber, .letterNumber, .otherNumber:
      return .number
    default:
      return properties.isWhitespace ? .space : .other
    }
  }

  /// The class of the scalar `value`.
  @inline(__always)
  subscript(value: UInt32) -> CharacterClass {
    guard value < Self.limit else { return .other }
    let code = bits[Int(value >> 2)] >> UInt8((value & 3) * 2) & 3
    return CharacterClass(rawValue: code) ?? .other
  }

  /// Returns the class and the length in bytes of the character at `index` of `bytes`.
  @inline(__always)
  func character(
    at index: Int, in bytes: UnsafeBufferPointer<UInt8>
  ) -> (CharacterClass, Int) {
    let byte = bytes[index]
    guard byte < 0x80 else {
      let read = bytes.scalar(at: index)
      return (self[read.value], read.length)
    }
    if (byte | 0x20) &- 0x61 < 26 { return (.letter, 1) }
    if byte == 0x20 || byte &- 0x09 < 5 { return (.space, 1) }
    return (byte &- 0x30 < 10 ? .number : .other, 1)
  }
}
