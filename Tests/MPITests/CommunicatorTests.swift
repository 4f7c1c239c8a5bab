import TestWorld
import Testing

@testable import MPI

extension MPITests {
  @Suite struct CommunicatorTests {
    @Test func splitGroupsByColorAndOrdersByKey() throws {
      let world = SharedWorld.world
      let half = try world.split(color: world.rank % 2, key: -world.rank)
      let members = (0..<world.size).filter { $0 % 2 == world.rank % 2 }.reversed()
      #expect(half.size == members.count)
      #expect(try half.allGather([Int32(world.rank)]) == members.map { Int32($0) })
      #expect(try half.allReduce(Int64(world.rank), .sum) == Int64(members.reduce(0, +)))
    }

    @Test func equalKeysKeepTheOrder() throws {
      let world = SharedWorld.world
      let same = try world.split(color: 3)
      #expect(same.rank == world.rank)
      #expect(same.size == world.size)
    }

    @Test func splitByHostHasTheRanksOfThisHost() throws {
      let world = SharedWorld.world
      let names = try world.allGatherV(Array(try Communicator.hostName.utf8))
      let host = try world.splitByHost()
      #expect(host.size == names.filter { $0 == names[world.rank] }.count)
    }

    @Test func communicatorsOfTheSameRanksHaveSeparateMessages() throws {
      let first = try SharedWorld.communicator()
      let second = try first.split(color: 0)
      let next = (first.rank + 1) % first.size
      let previous = (first.rank + first.size - 1) % first.size
      try first.send([Int32(1)], to: next)
      try second.send([Int32(2)], to: next)
      #expect(try second.receive(1, of: Int32.self, from: previous) == [2])
      #expect(try first.receive(1, of: Int32.self, from: previous) == [1])
    }

    @Test func limitsAreInheritedAndTrafficIsNot() throws {
      let communicator = try SharedWorld.communicator(maximumCount: 5)
      communicator.maximumAllToAllBytes = 99
      try communicator.barrier()
      let copy = try communicator.split(color: 0)
      #expect(copy.maximumCount == 5)
      #expect(copy.maximumAllToAllBytes == 99)
      #expect(copy.traffic == Traffic())
      try copy.barrier()
      #expect(communicator.traffic.calls == 1)
    }

    /// Communicators that were not freed would all have different handles.
    @Test func communicatorsAreFreed() throws {
      let handles = try (0..<100).map { _ in try SharedWorld.world.split(color: 0).handle }
      #expect(Set(handles).count < 100)
    }
  }
}
