import RandomNumbers

/// A permutation of 0..<count chosen by a key, computed one element at a time.
///
/// Goals: bijective for every count and key; no table, so that any rank can compute any element of an
/// epoch; the same on every machine.
///
/// A balanced Feistel network permutes 0..<4^h, the least power of four that is at least `count`, with
/// any round function (here Philox). Values of `count` or more go through the network again until one
/// is less than `count` ("cycle walking"): this follows a cycle of the larger permutation, so it ends,
/// and the result is still a bijection. Since 4^h < 4·count, it takes fewer than four passes on
/// average.
/// Sources: Luby & Rackoff (1988); Black & Rogaway, "Ciphers with arbitrary finite domains" (2002).
struct KeyedPermutation: Sendable {
  let count: Int
  private let philox: Philox
  private let halfBits: UInt64

  /// The number of rounds.
  ///
  /// Four suffice for Luby and Rackoff's bound; the small domains of short corpora, where a round has
  /// few random bits, need more.
  private static let rounds: UInt32 = 8

  /// Creates the permutation of 0..<count under `key`.
  init(count: Int, key: SIMD2<UInt32>) {
    precondition(count >= 1, "a permutation of \(count) elements")
    self.count = count
    philox = Philox(key: key)
    let bits = UInt64.bitWidth - UInt64(count - 1).leadingZeroBitCount
    halfBits = UInt64(max(1, (bits + 1) / 2))
  }

  /// Returns the image of `index`.
  func callAsFunction(_ index: Int) -> Int {
    precondition(0..<count ~= index, "element \(index) of a permutation of \(count)")
    var value = UInt64(index)
    repeat { value = network(value) } while value >= UInt64(count)
    return Int(value)
  }

  private func network(_ value: UInt64) -> UInt64 {
    let mask: UInt64 = (1 << halfBits) - 1
    var left = value >> halfBits
    var right = value & mask
    for round in 0..<Self.rounds {
      // `count` is below 2⁶³, so each half of a value has at most 32 bits and fits a word.
      let mixed = philox(SIMD4(UInt32(truncatingIfNeeded: right), round, 0, 0)).x
      (left, right) = (right, left ^ (UInt64(mixed) & mask))
    }
    return left << halfBits | right
  }
}
