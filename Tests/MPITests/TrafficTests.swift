import MPI
import TestWorld
import Testing

extension MPITests {
  @Suite struct TrafficTests {
    /// Expects the bytes of each call's documented algorithm, for 120 floats (480 bytes).
    @Test(arguments: [nil, 7])
    func trafficIsThatOfTheDocumentedAlgorithms(limit: Int?) throws {
      let communicator = try SharedWorld.communicator(maximumCount: limit)
      let others = communicator.size - 1
      let isFirst = communicator.rank == 0
      let isLast = communicator.rank == communicator.size - 1
      let values: [Float] = Sample.values(120, rank: communicator.rank)
      var buffer = values

      try expect(communicator, sent: isLast ? 0 : 480, received: isFirst ? 0 : 480) {
        _ = try buffer.withUnsafeMutableBufferPointer { try communicator.broadcast($0, from: 0) }
      }
      let ring = 2 * others * 480 / communicator.size
      try expect(communicator, sent: ring, received: ring) {
        _ = try communicator.allReduce(values, .sum)
      }
      try expect(communicator, sent: 480 * others, received: 480 * others) {
        _ = try communicator.allGather(values)
      }
      try expect(communicator, sent: 0, received: 0) { try communicator.barrier() }
    }

    @Test(arguments: [nil, 3])
    func trafficOfUnequalBlocksExcludesTheOwnBlock(limit: Int?) throws {
      let communicator = try SharedWorld.communicator(maximumCount: limit)
      let size = communicator.size
      let matrix = Sample.countMatrix(size: size, salt: 9)
      let row = matrix[communicator.rank]
      let column = matrix.map { $0[communicator.rank] }

      let layout = BlockLayout(packing: matrix[0])
      var buffer = [Double](repeating: 0, count: layout.total)
      try expect(
        communicator, sent: 8 * matrix[0][communicator.rank] * (size - 1),
        received: 8 * (layout.total - matrix[0][communicator.rank])
      ) {
        try buffer.withUnsafeMutableBufferPointer {
          try communicator.allGatherV(inPlace: $0, layout)
        }
      }

      let own = row[communicator.rank]
      let source = [UInt16](repeating: 0, count: row.reduce(0, +))
      var result = [UInt16](repeating: 0, count: column.reduce(0, +))
      try expect(
        communicator, sent: 2 * (source.count - own), received: 2 * (result.count - own)
      ) {
        try source.withUnsafeBufferPointer { source in
          try result.withUnsafeMutableBufferPointer {
            try communicator.allToAllV(
              source, BlockLayout(packing: row), into: $0, BlockLayout(packing: column),
              largestBlock: matrix.joined().max())
          }
        }
      }
    }

    @Test(arguments: [nil, 3])
    func messagesToItselfAreNoTraffic(limit: Int?) throws {
      let communicator = try SharedWorld.communicator(maximumCount: limit)
      let next = (communicator.rank + 1) % communicator.size
      let previous = (communicator.rank + communicator.size - 1) % communicator.size
      let bytes = communicator.size == 1 ? 0 : 40
      let calls = limit == nil ? 1 : 4
      let outgoing = [Float](repeating: 1, count: 10)
      try expect(communicator, sent: bytes, received: bytes, calls: 2 * calls) {
        try communicator.send(outgoing, to: next)
        _ = try communicator.receive(10, of: Float.self, from: previous)
      }
    }

    private func expect(
      _ communicator: Communicator, sent: Int, received: Int, calls: Int? = nil,
      sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    ) throws {
      communicator.resetTraffic()
      try body()
      let traffic = communicator.traffic
      #expect(traffic.bytesSent == sent, sourceLocation: sourceLocation)
      #expect(traffic.bytesReceived == received, sourceLocation: sourceLocation)
      if let calls { #expect(traffic.calls == calls, sourceLocation: sourceLocation) }
      let total = Int64(traffic.bytesSent - traffic.bytesReceived)
      #expect(try communicator.allReduce(total, .sum) == 0, sourceLocation: sourceLocation)
    }
  }
}
