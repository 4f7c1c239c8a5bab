import MPI
import TestWorld
import Testing

extension MPITests {
  @Suite struct GathersTests {
    @Test(arguments: Sample.limits)
    func gatherAndScatterEqualTheLocalReference(limit: Int?) throws {
      let group = try SharedWorld.group(maximumCount: limit)
      for count in Sample.counts {
        for root in 0..<group.size {
          let blocks: [[Float]] = (0..<group.size).map { Sample.values(count, rank: $0) }
          let joined = Array(blocks.joined())
          let own = blocks[group.rank]
          #expect(try group.gather(own, to: root) == (group.rank == root ? joined : nil))
          var received = [Float](repeating: -1, count: count)
          try (group.rank == root ? joined : []).withUnsafeBufferPointer { source in
            try received.withUnsafeMutableBufferPointer {
              try group.scatter(source, into: $0, from: root)
            }
          }
          #expect(received == own)
        }
      }
    }

    @Test(arguments: Sample.limits)
    func allGatherEqualsTheLocalReference(limit: Int?) throws {
      let group = try SharedWorld.group(maximumCount: limit)
      for count in Sample.counts {
        let blocks: [[UInt16]] = (0..<group.size).map { Sample.values(count, rank: $0) }
        #expect(try group.allGather(blocks[group.rank]) == Array(blocks.joined()))
      }
    }

    @Test(arguments: Sample.limits, 0..<6)
    func allGatherVEqualsTheLocalReference(limit: Int?, salt: Int) throws {
      let group = try SharedWorld.group(maximumCount: limit)
      let counts = Sample.countMatrix(size: group.size, salt: salt)[0]
      let blocks: [[Double]] = counts.indices.map { Sample.values(counts[$0], rank: $0) }
      #expect(try group.allGatherV(blocks[group.rank]) == blocks)

      let layout = Sample.scatteredLayout(counts, salt: salt)
      var buffer = [Double](repeating: -1, count: layout.extent + 2)
      var expected = buffer
      for (rank, block) in blocks.enumerated() {
        expected.place(block, in: layout, of: rank)
        if rank == group.rank { buffer.place(block, in: layout, of: rank) }
      }
      try buffer.withUnsafeMutableBufferPointer { try group.allGatherV(inPlace: $0, layout) }
      #expect(buffer == expected)
    }

    @Test func roundsAreCountedFromTheLargestBlock() throws {
      let group = try SharedWorld.group(maximumCount: 2 * SharedWorld.world.size)
      var counts = [Int](repeating: 0, count: group.size)
      counts[group.size - 1] = 7
      var buffer = [Float](repeating: 0, count: 7)
      let layout = BlockLayout(packing: counts)
      try buffer.withUnsafeMutableBufferPointer { try group.allGatherV(inPlace: $0, layout) }
      #expect(group.traffic.calls == 4)
    }

    /// Memory that is touched only where the blocks are, so the five gigabytes cost nothing.
    @Test func blocksLieMoreThan32BitsApart() throws {
      let group = try SharedWorld.group()
      let spacing = 5 << 30
      let buffer = try SparseBuffer(count: spacing * group.size)
      let layout = BlockLayout(
        counts: Array(repeating: 1000, count: group.size),
        displacements: (0..<group.size).map { $0 * spacing + 17 })
      let blocks: [[UInt8]] = (0..<group.size).map { Sample.values(1000, rank: $0) }
      for (index, value) in blocks[group.rank].enumerated() {
        buffer.bytes[layout.displacements[group.rank] + index] = value
      }
      try group.allGatherV(inPlace: buffer.bytes, layout)
      for (rank, block) in blocks.enumerated() {
        let start = layout.displacements[rank]
        #expect(Array(buffer.bytes[start..<start + 1000]) == block)
        #expect(buffer.bytes[start - 1] == 0 && buffer.bytes[start + 1000] == 0)
      }
    }
  }
}
