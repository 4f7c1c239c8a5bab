// "Random numbers from a key and a counter. Knows nothing that uses them."

/// Philox 4×32-10: a pure function from a 64-bit key and a 128-bit counter to four 32-bit words.
///
/// There is no state to save: the same key and counter give the same numbers again. Source: Salmon
/// et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011); tested with the known-answer
/// vectors of their Random123 library.
package struct Philox: Sendable, Hashable {
  package let key: SIMD2<UInt32>

  package init(key: SIMD2<UInt32>) {
    self.key = key
  }

  /// Returns the four words at `counter`.
  package func callAsFunction(_ counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for round in 0..<10 {
      if round > 0 { k &+= SIMD2(0x9E37_79B9, 0xBB67_AE85) }
      let product0 = UInt64(c.x) &* 0xD251_1F53
      let product1 = UInt64(c.z) &* 0xCD9E_8D57
      c = SIMD4(
        UInt32(truncatingIfNeeded: product1 >> 32) ^ c.y ^ k.x,
        UInt32(truncatingIfNeeded: product1),
        UInt32(truncatingIfNeeded: product0 >> 32) ^ c.w ^ k.y,
        UInt32(truncatingIfNeeded: product0))
    }
    return c
  }
}
