import MPI
import TestWorld
import Testing

extension MPITests {
  @Suite struct AllToAllTests {
    @Test(arguments: Sample.limits, 0..<8)
    func allToAllVPlacesBlocksByTheReceivingLayout(limit: Int?, salt: Int) throws {
      let communicator = try SharedWorld.communicator(maximumCount: limit)
      let matrix = Sample.countMatrix(size: communicator.size, salt: salt)
      let largest = matrix.joined().max() ?? 0
      try expectExchange(matrix, salt: salt, largestBlock: nil, communicator)
      try expectExchange(matrix, salt: salt, largestBlock: largest, communicator)
      // A bound above the largest count adds empty rounds, and changes nothing else.
      try expectExchange(matrix, salt: salt, largestBlock: largest + 5, communicator)
    }

    @Test(arguments: [1, 8, 50, 1000])
    func callsStayWithinTheByteLimit(bytes: Int) throws {
      let communicator = try SharedWorld.communicator()
      communicator.maximumAllToAllBytes = bytes
      for salt in 0..<4 {
        let matrix = Sample.countMatrix(size: communicator.size, salt: salt)
        communicator.resetTraffic()
        let largest = matrix.joined().max() ?? 0
        try expectExchange(matrix, salt: salt, largestBlock: largest, communicator)
        let chunk = max(1, bytes / (8 * communicator.size))
        #expect(communicator.traffic.calls == (largest + chunk - 1) / chunk)
      }
    }

    @Test func theDefaultLimitIsUnder64MiB() {
      #expect(SharedWorld.world.maximumAllToAllBytes < 64 << 20)
    }

    @Test func withoutLargestBlockAnAllReduceIsAdded() throws {
      let communicator = try SharedWorld.communicator()
      let matrix = [[Int]](
        repeating: [Int](repeating: 3, count: communicator.size), count: communicator.size)
      try expectExchange(matrix, salt: 0, largestBlock: 3, communicator)
      #expect(communicator.traffic.calls == 1)
      try expectExchange(matrix, salt: 0, largestBlock: nil, communicator)
      #expect(communicator.traffic.calls == 3)
    }

    private func expectExchange(
      _ matrix: [[Int]], salt: Int, largestBlock: Int?, _ communicator: Communicator
    ) throws {
      let sending = Sample.scatteredLayout(matrix[communicator.rank], salt: salt)
      let receiving = Sample.scatteredLayout(matrix.map { $0[communicator.rank] }, salt: salt + 1)
      var source = [Int64](repeating: -2, count: sending.extent + 1)
      var result = [Int64](repeating: -1, count: receiving.extent + 1)
      var expected = result
      for other in 0..<communicator.size {
        source.place(block(communicator.rank, other, matrix), in: sending, of: other)
        expected.place(block(other, communicator.rank, matrix), in: receiving, of: other)
      }
      try source.withUnsafeBufferPointer { source in
        try result.withUnsafeMutableBufferPointer {
          try communicator.allToAllV(
            source, sending, into: $0, receiving, largestBlock: largestBlock)
        }
      }
      #expect(result == expected)
    }

    private func block(_ sender: Int, _ receiver: Int, _ matrix: [[Int]]) -> [Int64] {
      Sample.values(matrix[sender][receiver], rank: sender, salt: 100 + receiver)
    }
  }
}
