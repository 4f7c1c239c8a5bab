/// The origin of a character: the template, or an input that the caller numbered.
package struct Origin: Hashable, Sendable {
  /// The caller's number; 0 is the template.
  package let number: UInt32

  package init(_ number: UInt32) {
    self.number = number
  }

  /// The origin of characters that the template itself writes.
  package static let template = Origin(0)
}

/// A character with its origin.
///
/// A character is a Unicode scalar, the unit in which Python's strings count. The layout of `bits`:
///
///     bit 63       32 31          30…21 20    0
///     |   origin    | is generated |  0  | scalar |
struct Letter: Sendable {
  private(set) var bits: UInt64

  static let scalarMask: UInt64 = 0x1F_FFFF
  private static let generatedBit: UInt64 = 1 << 31

  init(_ scalar: Unicode.Scalar, _ origin: Origin = .template) {
    bits = UInt64(origin.number) << 32 | UInt64(scalar.value)
  }

  /// The scalar's code point.
  var value: UInt32 { UInt32(truncatingIfNeeded: bits & Self.scalarMask) }

  /// The scalar; the fallback is never used, as every letter is created from a valid scalar.
  var scalar: Unicode.Scalar { Unicode.Scalar(value) ?? "\u{FFFD}" }

  var origin: Origin { Origin(UInt32(truncatingIfNeeded: bits >> 32)) }

  /// True when the character lies between `{% generation %}` and `{% endgeneration %}`.
  var isGenerated: Bool { bits & Self.generatedBit != 0 }

  /// The letter with `isGenerated` set.
  var generated: Letter {
    var letter = self
    letter.bits |= Self.generatedBit
    return letter
  }

  /// Returns `scalar` with this letter's origin and `isGenerated`.
  func with(_ scalar: Unicode.Scalar) -> Letter {
    var letter = self
    letter.bits = bits & ~Self.scalarMask | UInt64(scalar.value)
    return letter
  }

  /// Returns true when the letters differ in origin or in `isGenerated`.
  func provenanceDiffers(from other: Letter) -> Bool {
    (bits ^ other.bits) & ~Self.scalarMask != 0
  }
}
