import MPI
import TestWorld
import Testing

extension MPITests {
  @Suite struct ReductionsTests {
    @Test(arguments: Sample.limits)
    func broadcastCopiesTheRoot(limit: Int?) throws {
      let group = try SharedWorld.group(maximumCount: limit)
      for root in 0..<group.size {
        for count in Sample.counts {
          try expectBroadcast(Float.self, count, root, group)
          try expectBroadcast(UInt16.self, count, root, group)
        }
      }
      try expectBroadcast(Double.self, 9, 0, group)
      try expectBroadcast(Int32.self, 9, 0, group)
      try expectBroadcast(Int64.self, 9, 0, group)
      try expectBroadcast(UInt8.self, 9, 0, group)
      try expectBroadcast(UInt64.self, 9, 0, group)
    }

    private func expectBroadcast<T: TestScalar>(
      _ type: T.Type, _ count: Int, _ root: Int, _ group: Communicator
    ) throws {
      var buffer: [T] = Sample.values(count, rank: group.rank, salt: count)
      try buffer.withUnsafeMutableBufferPointer { try group.broadcast($0, from: root) }
      #expect(buffer == Sample.values(count, rank: root, salt: count))
    }

    @Test func broadcastOfAnArrayTakesTheLengthOfTheRoot() throws {
      let group = try SharedWorld.group(maximumCount: 2)
      let root = group.size - 1
      let result: [UInt8] = try group.broadcast(
        Sample.values(group.rank + 3, rank: group.rank), from: root)
      #expect(result == Sample.values(root + 3, rank: root))
      #expect(try group.broadcast(Int64(group.rank) - 5, from: root) == Int64(root) - 5)
    }

    @Test(arguments: Sample.limits, Reduction.allCases)
    func reductionsEqualTheLocalReference(limit: Int?, operation: Reduction) throws {
      let group = try SharedWorld.group(maximumCount: limit)
      for count in Sample.counts {
        try expectReductions(Float.self, count, operation, group)
      }
      try expectReductions(Double.self, 10, operation, group)
      try expectReductions(Int32.self, 10, operation, group)
      try expectReductions(Int64.self, 10, operation, group)
      try expectReductions(UInt8.self, 10, operation, group)
      try expectReductions(UInt64.self, 10, operation, group)
    }

    private func expectReductions<T: TestScalar & MPIReducible & AdditiveArithmetic & Comparable>(
      _ type: T.Type, _ count: Int, _ operation: Reduction, _ group: Communicator
    ) throws {
      let all: [[T]] = (0..<group.size).map { Sample.values(count, rank: $0, salt: count) }
      let expected = (0..<count).map { index in
        let column = all.map { $0[index] }
        return switch operation {
        case .sum: column.reduce(T.zero, +)
        case .max: column.max() ?? .zero
        case .min: column.min() ?? .zero
        }
      }
      #expect(try group.allReduce(all[group.rank], operation) == expected)
      let root = count % group.size
      var buffer = all[group.rank]
      try buffer.withUnsafeMutableBufferPointer {
        try group.reduce(inPlace: $0, operation, to: root)
      }
      #expect(buffer == (group.rank == root ? expected : all[group.rank]))
    }

    @Test func wideIntegersKeepTheirBits() throws {
      let group = try SharedWorld.group()
      // As a signed number the largest would be the smallest.
      #expect(try group.allReduce(group.rank == 0 ? UInt64.max : 1, .max) == .max)
      #expect(try group.allReduce(Int64.min + Int64(group.rank), .min) == .min)
      #expect(try group.allReduce(-Int32(group.rank), .min) == 1 - Int32(group.size))
    }

    @Test func longBuffersTakeSeveralCalls() throws {
      let group = try SharedWorld.group(maximumCount: 3)
      _ = try group.allReduce([Float](repeating: 1, count: 10), .sum)
      #expect(group.traffic.calls == 4)
      _ = try group.allReduce([Float](repeating: 1, count: 9), .sum)
      #expect(group.traffic.calls == 7)
      _ = try group.allReduce([Float](), .sum)
      #expect(group.traffic.calls == 7)
    }
  }
}
