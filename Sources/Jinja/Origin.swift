/// Where a character comes from: the template, or an input that the caller numbered.
public struct Origin: Hashable, Sendable {
  /// The caller's number; 0 is the template.
  public let number: UInt32

  /// The origin that the caller knows as `number`.
  public init(_ number: UInt32) {
    self.number = number
  }

  /// Written by the template.
  public static let template = Origin(0)
}

/// A character with its origin: a Unicode scalar, as Python's strings count them.
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

  /// The scalar's number.
  var value: UInt32 { UInt32(truncatingIfNeeded: bits & Self.scalarMask) }

  /// The scalar; every letter was made from one.
  var scalar: Unicode.Scalar { Unicode.Scalar(value) ?? "\u{FFFD}" }

  var origin: Origin { Origin(UInt32(truncatingIfNeeded: bits >> 32)) }

  /// Whether it stands between `{% generation %}` and `{% endgeneration %}`.
  var isGenerated: Bool { bits & Self.generatedBit != 0 }

  /// The same, generated.
  var generated: Letter {
    var letter = self
    letter.bits |= Self.generatedBit
    return letter
  }

  /// Another scalar of the same provenance.
  func with(_ scalar: Unicode.Scalar) -> Letter {
    var letter = self
    letter.bits = bits & ~Self.scalarMask | UInt64(scalar.value)
    return letter
  }

  /// What two letters differ in when only their provenance does.
  func provenanceDiffers(from other: Letter) -> Bool {
    (bits ^ other.bits) & ~Self.scalarMask != 0
  }
}
