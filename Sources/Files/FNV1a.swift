/// The 64-bit FNV-1a hash of a sequence of bytes.
///
/// Not cryptographic: it distinguishes tokenizers and short documents, and is the same on every
/// machine and in every process. Source: Fowler, Noll, Vo, draft-eastlake-fnv.
package struct FNV1a: Sendable, Hashable {
  /// The hash of the bytes so far.
  package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  /// Creates the hash of no bytes.
  package init() {}

  /// Creates the hash of `bytes`.
  package init(_ bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer { combine($0) }
  }

  /// Adds `bytes` to the hash.
  package mutating func combine(_ bytes: UnsafeBufferPointer<UInt8>) {
    var index = 0
    while index < bytes.count {
      value = (value ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01B3
      index += 1
    }
  }
}
