/// Two neighbouring tokens; pairs are ordered by the left id, then by the right.
struct TokenPair: Sendable, Equatable, Comparable {
  /// The left id in the high 32 bits, the right id in the low ones: one comparison orders pairs.
  let key: UInt64

  /// The key of free slots; no pair has it because ids are below 2³¹.
  static let freeKey = UInt64.max

  @inline(__always)
  init(_ left: UInt32, _ right: UInt32) {
    key = UInt64(left) << 32 | UInt64(right)
  }

  var left: UInt32 { UInt32(truncatingIfNeeded: key >> 32) }

  var right: UInt32 { UInt32(truncatingIfNeeded: key) }

  /// A well-mixed hash, the same in every process.
  @inline(__always)
  var hash: Int {
    let product = (key ^ key >> 29) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: product >> 32)
  }

  static func < (a: TokenPair, b: TokenPair) -> Bool { a.key < b.key }
}
