import MPI
import TestWorld
import Testing

extension MPITests {
  @Suite struct MessagesTests {
    @Test(arguments: Sample.limits)
    func messagesOfAnyLengthPassAroundARing(limit: Int?) throws {
      let communicator = try SharedWorld.communicator(maximumCount: limit)
      let (rank, size) = (communicator.rank, communicator.size)
      for count in Sample.counts {
        let tag = 7 + count
        // MPI buffers messages of this length, so all ranks may send before they receive.
        let own: [Float] = Sample.values(count + 4 * rank, rank: rank)
        try communicator.send(own, to: (rank + 1) % size, tag: tag)
        let previous = (rank + size - 1) % size
        let expected: [Float] = Sample.values(count + 4 * previous, rank: previous)
        // A buffer of exactly the message's length, and a longer one.
        for rest in rank % 2 == 0 ? [0] : [2] {
          var incoming = [Float](repeating: -1, count: expected.count + rest)
          let received = try incoming.withUnsafeMutableBufferPointer {
            try communicator.receive(into: $0, from: previous, tag: tag)
          }
          #expect(received == expected.count)
          #expect(incoming == expected + Array(repeating: -1, count: rest))
        }
      }
    }

    @Test(arguments: Sample.limits)
    func rankZeroReceivesFromEveryRank(limit: Int?) throws {
      let communicator = try SharedWorld.communicator(maximumCount: limit)
      for count in Sample.counts {
        let own: [UInt64] = Sample.values(count, rank: communicator.rank)
        try communicator.send(own, to: 0, tag: count)
        guard communicator.rank == 0 else { continue }
        for source in 0..<communicator.size {
          let expected: [UInt64] = Sample.values(count, rank: source)
          #expect(
            try communicator.receive(count, of: UInt64.self, from: source, tag: count) == expected)
        }
      }
      try communicator.barrier()
    }

    @Test func tagsKeepMessagesApart() throws {
      let communicator = try SharedWorld.communicator()
      let own = communicator.rank
      try communicator.send([Int32(1)], to: own, tag: 1)
      try communicator.send([Int32(2)], to: own, tag: 2)
      #expect(try communicator.receive(1, of: Int32.self, from: own, tag: 2) == [2])
      #expect(try communicator.receive(1, of: Int32.self, from: own, tag: 1) == [1])
    }

    @Test(arguments: [nil, 2], [0, 1])
    func receiveIntoATooSmallBufferThrows(limit: Int?, shift: Int) throws {
      let communicator = try SharedWorld.communicator(maximumCount: limit)
      let (rank, size) = (communicator.rank, communicator.size)
      try communicator.send([Double](repeating: 1, count: 4), to: (rank + shift) % size)
      let error = #expect(throws: MPIError.self) {
        try communicator.receive(3, of: Double.self, from: (rank + size - shift) % size)
      }
      guard case .call(let function, _, let text) = error else {
        Issue.record("not MPIError.call: \(String(describing: error))")
        return
      }
      #expect(function == "MPI_Recv")
      #expect(text.contains("truncated"))
      // MPICH gives the number of a freed communicator, and with it what is left there, to a new one.
      guard limit != nil else { return }
      #expect(
        try communicator.receive(2, of: Double.self, from: (rank + size - shift) % size) == [])
    }

    @Test(.enabled(if: MPIEnvironment.libraryVersion.hasPrefix("Open MPI"), "MPICH takes it."))
    func receiveOfAnotherTypeThrows() throws {
      let communicator = try SharedWorld.communicator()
      try communicator.send([UInt8](repeating: 1, count: 5), to: communicator.rank)
      #expect(throws: MPIError.self) {
        try communicator.receive(2, of: Int32.self, from: communicator.rank)
      }
    }
  }
}

// Messages of arrays.
extension Communicator {
  /// Sends `values` to rank `destination`.
  func send<T: MPIScalar>(_ values: [T], to destination: Int, tag: Int = 0) throws {
    try values.withUnsafeBufferPointer { try send($0, to: destination, tag: tag) }
  }

  /// Receives a message of at most `count` elements from rank `source`.
  func receive<T: MPIScalar>(
    _ count: Int, of type: T.Type, from source: Int, tag: Int = 0
  ) throws -> [T] {
    var values = [T](repeating: .zero, count: count)
    let received = try values.withUnsafeMutableBufferPointer {
      try receive(into: $0, from: source, tag: tag)
    }
    return Array(values[..<received])
  }
}
