import MPI
import TestWorld
import Testing

extension MPITests {
  @Suite struct TrafficTests {
    /// Bytes of 120 floats, or of the 12 bytes of 3 floats, by each call's stated algorithm.
    @Test(arguments: [nil, 7])
    func callsCountWhatTheyDocument(limit: Int?) throws {
      let group = try SharedWorld.group(maximumCount: limit)
      let others = group.size - 1
      let isFirst = group.rank == 0
      let isLast = group.rank == group.size - 1
      let values: [Float] = Sample.values(120, rank: group.rank)
      var buffer = values

      try expect(group, sent: isLast ? 0 : 480, received: isFirst ? 0 : 480) {
        _ = try buffer.withUnsafeMutableBufferPointer { try group.broadcast($0, from: 0) }
      }
      try expect(group, sent: isFirst ? 0 : 480, received: isLast ? 0 : 480) {
        try buffer.withUnsafeMutableBufferPointer { try group.reduce(inPlace: $0, .sum, to: 0) }
      }
      let ring = 2 * others * 480 / group.size
      try expect(group, sent: ring, received: ring) { _ = try group.allReduce(values, .sum) }
      try expect(group, sent: isFirst ? 0 : 480, received: isFirst ? 480 * others : 0) {
        _ = try group.gather(values)
      }
      let dealt: [Float] = Sample.values(3 * group.size, rank: 0)
      try expect(group, sent: isFirst ? 12 * others : 0, received: isFirst ? 0 : 12) {
        try dealt.withUnsafeBufferPointer { source in
          try buffer.withUnsafeMutableBufferPointer {
            try group.scatter(source, into: .init(rebasing: $0[..<3]))
          }
        }
      }
      try expect(group, sent: 480 * others, received: 480 * others) {
        _ = try group.allGather(values)
      }
      try expect(group, sent: 0, received: 0) { try group.barrier() }
    }

    @Test(arguments: [nil, 3])
    func unequalBlocksCountWhatGoesToOthers(limit: Int?) throws {
      let group = try SharedWorld.group(maximumCount: limit)
      let size = group.size
      let matrix = Sample.countMatrix(size: size, salt: 9)
      let row = matrix[group.rank]
      let column = matrix.map { $0[group.rank] }

      let layout = BlockLayout(packing: matrix[0])
      var buffer = [Double](repeating: 0, count: layout.total)
      try expect(
        group, sent: 8 * matrix[0][group.rank] * (size - 1),
        received: 8 * (layout.total - matrix[0][group.rank])
      ) {
        try buffer.withUnsafeMutableBufferPointer { try group.allGatherV(inPlace: $0, layout) }
      }

      let own = row[group.rank]
      let source = [UInt16](repeating: 0, count: row.reduce(0, +))
      var result = [UInt16](repeating: 0, count: column.reduce(0, +))
      try expect(
        group, sent: 2 * (source.count - own), received: 2 * (result.count - own)
      ) {
        try source.withUnsafeBufferPointer { source in
          try result.withUnsafeMutableBufferPointer {
            try group.allToAllV(
              source, BlockLayout(packing: row), into: $0, BlockLayout(packing: column),
              largestBlock: matrix.joined().max())
          }
        }
      }
    }

    @Test(arguments: [nil, 3])
    func messagesCountUnlessToItself(limit: Int?) throws {
      let group = try SharedWorld.group(maximumCount: limit)
      let next = (group.rank + 1) % group.size
      let previous = (group.rank + group.size - 1) % group.size
      let bytes = group.size == 1 ? 0 : 40
      let calls = limit == nil ? 1 : 4
      let outgoing = [Float](repeating: 1, count: 10)
      var incoming = outgoing
      try expect(group, sent: bytes, received: bytes, calls: calls) {
        try outgoing.withUnsafeBufferPointer { outgoing in
          _ = try incoming.withUnsafeMutableBufferPointer {
            try group.sendReceive(outgoing, to: next, into: $0, from: previous)
          }
        }
      }
      try expect(group, sent: bytes, received: bytes, calls: 2 * calls) {
        try group.send(outgoing, to: next)
        _ = try group.receive(Float.self, from: previous)
      }
    }

    private func expect(
      _ group: Communicator, sent: Int, received: Int, calls: Int? = nil,
      sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    ) throws {
      group.resetTraffic()
      try body()
      let traffic = group.traffic
      #expect(traffic.bytesSent == sent, sourceLocation: sourceLocation)
      #expect(traffic.bytesReceived == received, sourceLocation: sourceLocation)
      if let calls { #expect(traffic.calls == calls, sourceLocation: sourceLocation) }
      let total = Int64(traffic.bytesSent - traffic.bytesReceived)
      #expect(try group.allReduce(total, .sum) == 0, sourceLocation: sourceLocation)
    }
  }
}
