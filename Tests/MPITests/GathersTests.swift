import MPI
import TestWorld
import Testing

extension MPITests {
  @Suite struct GathersTests {
    @Test(arguments: Sample.limits)
    func allGatherEqualsTheLocalReference(limit: Int?) throws {
      let communicator = try SharedWorld.communicator(maximumCount: limit)
      for count in Sample.counts {
        let blocks: [[UInt16]] = (0..<communicator.size).map { Sample.values(count, rank: $0) }
        #expect(try communicator.allGather(blocks[communicator.rank]) == Array(blocks.joined()))
      }
    }

    @Test(arguments: Sample.limits, 0..<6)
    func allGatherVEqualsTheLocalReference(limit: Int?, salt: Int) throws {
      let communicator = try SharedWorld.communicator(maximumCount: limit)
      let counts = Sample.countMatrix(size: communicator.size, salt: salt)[0]
      let blocks: [[Double]] = counts.indices.map { Sample.values(counts[$0], rank: $0) }
      #expect(try communicator.allGatherV(blocks[communicator.rank]) == blocks)

      let layout = Sample.scatteredLayout(counts, salt: salt)
      var buffer = [Double](repeating: -1, count: layout.extent + 2)
      var expected = buffer
      for (rank, block) in blocks.enumerated() {
        expected.place(block, in: layout, of: rank)
        if rank == communicator.rank { buffer.place(block, in: layout, of: rank) }
      }
      try buffer.withUnsafeMutableBufferPointer { try communicator.allGatherV(inPlace: $0, layout) }
      #expect(buffer == expected)
    }

    @Test func roundsAreCountedFromTheLargestBlock() throws {
      let communicator = try SharedWorld.communicator(maximumCount: 2 * SharedWorld.world.size)
      var counts = [Int](repeating: 0, count: communicator.size)
      counts[communicator.size - 1] = 7
      var buffer = [Float](repeating: 0, count: 7)
      let layout = BlockLayout(packing: counts)
      try buffer.withUnsafeMutableBufferPointer { try communicator.allGatherV(inPlace: $0, layout) }
      #expect(communicator.traffic.calls == 4)
    }

    /// The pages between the blocks are never touched, so the 5 GiB per rank take no memory.
    @Test func blocksMayLieMoreThan32BitsApart() throws {
      let communicator = try SharedWorld.communicator()
      let spacing = 5 << 30
      let buffer = try SparseBuffer(count: spacing * communicator.size)
      let layout = BlockLayout(
        counts: Array(repeating: 1000, count: communicator.size),
        displacements: (0..<communicator.size).map { $0 * spacing + 17 })
      let blocks: [[UInt8]] = (0..<communicator.size).map { Sample.values(1000, rank: $0) }
      for (index, value) in blocks[communicator.rank].enumerated() {
        buffer.bytes[layout.displacements[communicator.rank] + index] = value
      }
      try communicator.allGatherV(inPlace: buffer.bytes, layout)
      for (rank, block) in blocks.enumerated() {
        let start = layout.displacements[rank]
        #expect(Array(buffer.bytes[start..<start + 1000]) == block)
        #expect(buffer.bytes[start - 1] == 0 && buffer.bytes[start + 1000] == 0)
      }
    }
  }
}
