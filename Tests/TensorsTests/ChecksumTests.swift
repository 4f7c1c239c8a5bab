import CKernels
import Testing

@Suite struct ChecksumTests {
  /// Any flipped bit and any exchange of two values changes the checksum, also in the tail.
  @Test func oneFlippedBitChangesTheChecksum() {
    var values = (0..<1003).map { Float($0) * 0.37 - 100 }
    let whole = apus_checksum(values, values.count)
    #expect(apus_checksum(values, values.count) == whole)
    #expect(apus_checksum(values, values.count - 1) != whole)
    for place in [0, 15, 16, 500, 991, 992, 1002] {
      for bit in 0..<32 {
        let before = values[place]
        values[place] = Float(bitPattern: before.bitPattern ^ (1 << UInt32(bit)))
        #expect(apus_checksum(values, values.count) != whole, "bit \(bit) of \(place)")
        values[place] = before
      }
    }
    values.swapAt(3, 19)
    #expect(apus_checksum(values, values.count) != whole)
    values.swapAt(3, 19)
    #expect(apus_checksum(values, values.count) == whole && apus_checksum(values, 0) != whole)
    // -0 and 0 are equal numbers with other bits.
    #expect(apus_checksum([0], 1) != apus_checksum([-0.0], 1))
  }
}
