import Testing

@testable import MPI

struct BlockLayoutTests {
  @Test func packedBlocksFollowOneAnother() {
    let layout = BlockLayout(packing: [3, 0, 5])
    #expect(layout.displacements == [0, 3, 3])
    #expect(layout.extent == 8)
    #expect(layout.total == 8)
    #expect(layout.largestCount == 5)
  }

  @Test func emptyBlocksDoNotExtendTheLayout() {
    #expect(BlockLayout(counts: [2, 0], displacements: [4, 1000]).extent == 6)
    #expect(BlockLayout(packing: []).extent == 0)
  }

  @Test func aRoundStartsAtItsLowestElement() {
    let far = 1 << 40
    let round = round(1, chunk: 4, [6, 0, 9], [far + 10, 0, far])
    #expect(round.counts == [2, 0, 4])
    #expect(round.offsets == [10, 0, 0])
    #expect(!round.isPacked)
  }

  @Test func aRoundThatSpansTooMuchIsPacked() {
    let round = round(0, chunk: 4, [3, 1, 9], [1 << 40, 5, 7])
    #expect(round.counts == [3, 1, 4])
    #expect(round.offsets == [0, 3, 4])
    #expect(round.isPacked)
  }

  @Test func aRoundPastTheEndIsEmpty() {
    let round = round(3, chunk: 4, [6, 0], [1, 1])
    #expect(round.counts == [0, 0])
    #expect(round.offsets == [0, 0])
    #expect(!round.isPacked)
  }

  /// The tables of a round over a buffer without memory.
  private func round(
    _ index: Int, chunk: Int, _ counts: [Int], _ displacements: [Int]
  ) -> (counts: [Int32], offsets: [Int32], isPacked: Bool) {
    var tables = [Int32](repeating: -1, count: 2 * counts.count)
    return tables.withUnsafeMutableBufferPointer { tables in
      guard let base = tables.baseAddress else { return ([], [], false) }
      let round = BlockRound<Float>(
        index, chunk: chunk, of: BlockLayout(counts: counts, displacements: displacements),
        in: nil, reach: Int(Int32.max), tables: base)
      return (
        Array(tables[..<counts.count]), Array(tables[counts.count...]), round.isPacked
      )
    }
  }
}
