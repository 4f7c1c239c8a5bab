import Testing

@testable import Tensors

@Suite struct FreeMemoryTests {
  @Test func adjacentPiecesAreMerged() {
    var free = FreeMemory()
    free.add(100..<200)
    free.add(300..<400)
    #expect(free.take(150) == nil)
    free.add(200..<300)
    #expect(free.take(300) == 100)
    #expect(free.take(1) == nil)
  }

  @Test func theSmallestPieceThatFitsIsCut() {
    var free = FreeMemory()
    for piece: Range<UInt> in [0..<100, 200..<230, 300..<330, 400..<440] { free.add(piece) }
    #expect(free.take(25) == 200)
    #expect(free.take(25) == 300)
    #expect(free.take(25) == 400)
    #expect(free.take(25) == 0)
    // The rest of each piece.
    #expect([5, 5, 15, 75].map { free.take($0) } == [225, 325, 425, 25])
    #expect(free.take(1) == nil)
  }

  @Test func removedMemoryIsNotAllocated() {
    var free = FreeMemory()
    free.add(0..<100)
    free.add(200..<300)
    free.remove(50..<250)
    #expect(free.take(51) == nil)
    #expect(free.take(50) == 0)
    #expect(free.take(50) == 250)
    free.add(0..<100)
    free.remove(40..<60)
    #expect([free.take(40), free.take(40), free.take(1)] == [0, 60, nil])
  }

  /// Random allocations and releases: no memory is allocated twice, and none is lost.
  @Test func randomAllocationsNeitherOverlapNorLoseMemory() {
    var free = FreeMemory()
    free.add(1000..<2000)
    var taken: [Range<UInt>] = []
    for (place, size) in probeValues(500, 1).enumerated() {
      let bytes = 1 + Int(abs(size) * 100)
      if let start = free.take(bytes) {
        let piece = start..<start + UInt(bytes)
        #expect(1000..<2000 ~= Int(start) && piece.upperBound <= 2000)
        #expect(!taken.contains { $0.overlaps(piece) })
        taken.append(piece)
      } else {
        free.add(taken.remove(at: place * 7 % taken.count))
      }
    }
    for piece in taken { free.add(piece) }
    #expect(free.take(1000) == 1000)
  }
}
