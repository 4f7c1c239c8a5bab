/// The 64-bit FNV-1a hash of a sequence of bytes.
///
/// Not cryptographic: it tells tokenizers and short documents apart, and is the same on every
/// machine and in every process. Source: Fowler, Noll, Vo, draft-eastlake-fnv.
public struct FNV1a: Sendable, Hashable {
  /// The hash of the bytes so far.
  public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  /// The hash of no bytes.
  public init() {}

  /// The hash of `bytes`.
  public init(_ bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer { combine($0) }
  }

  /// Goes on with `bytes`.
  public mutating func combine(_ bytes: UnsafeBufferPointer<UInt8>) {
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
  }
}
