import MPI
import TestWorld
import Testing

extension MPITests {
  @Suite struct AllToAllTests {
    @Test(arguments: Sample.limits, 0..<8)
    func blocksArriveWhereTheyBelong(limit: Int?, salt: Int) throws {
      let group = try SharedWorld.group(maximumCount: limit)
      let matrix = Sample.countMatrix(size: group.size, salt: salt)
      let largest = matrix.joined().max() ?? 0
      try expectExchange(matrix, salt: salt, largestBlock: nil, group)
      try expectExchange(matrix, salt: salt, largestBlock: largest, group)
      // A bound above the largest costs empty rounds, and changes nothing else.
      try expectExchange(matrix, salt: salt, largestBlock: largest + 5, group)
    }

    @Test(arguments: [1, 8, 50, 1000])
    func callsStayWithinTheByteLimit(bytes: Int) throws {
      let group = try SharedWorld.group()
      group.maximumAllToAllBytes = bytes
      for salt in 0..<4 {
        let matrix = Sample.countMatrix(size: group.size, salt: salt)
        group.resetTraffic()
        let largest = matrix.joined().max() ?? 0
        try expectExchange(matrix, salt: salt, largestBlock: largest, group)
        let chunk = max(1, bytes / (8 * group.size))
        #expect(group.traffic.calls == (largest + chunk - 1) / chunk)
      }
    }

    @Test func theDefaultLimitIsUnder64MiB() {
      #expect(SharedWorld.world.maximumAllToAllBytes < 64 << 20)
    }

    @Test func theAgreementIsOneMoreCall() throws {
      let group = try SharedWorld.group()
      let matrix = [[Int]](
        repeating: [Int](repeating: 3, count: group.size), count: group.size)
      try expectExchange(matrix, salt: 0, largestBlock: 3, group)
      #expect(group.traffic.calls == 1)
      try expectExchange(matrix, salt: 0, largestBlock: nil, group)
      #expect(group.traffic.calls == 3)
    }

    private func expectExchange(
      _ matrix: [[Int]], salt: Int, largestBlock: Int?, _ group: Communicator
    ) throws {
      let sending = Sample.scatteredLayout(matrix[group.rank], salt: salt)
      let receiving = Sample.scatteredLayout(matrix.map { $0[group.rank] }, salt: salt + 1)
      var source = [Int64](repeating: -2, count: sending.extent + 1)
      var result = [Int64](repeating: -1, count: receiving.extent + 1)
      var expected = result
      for other in 0..<group.size {
        source.place(block(group.rank, other, matrix), in: sending, of: other)
        expected.place(block(other, group.rank, matrix), in: receiving, of: other)
      }
      try source.withUnsafeBufferPointer { source in
        try result.withUnsafeMutableBufferPointer {
          try group.allToAllV(source, sending, into: $0, receiving, largestBlock: largestBlock)
        }
      }
      #expect(result == expected)
    }

    private func block(_ sender: Int, _ receiver: Int, _ matrix: [[Int]]) -> [Int64] {
      Sample.values(matrix[sender][receiver], rank: sender, salt: 100 + receiver)
    }
  }
}
