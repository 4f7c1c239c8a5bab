import MPI
import TestWorld
import Testing

extension MPITests {
  @Suite struct MessagesTests {
    @Test(arguments: Sample.limits)
    func sendReceivePassesMessagesAroundARing(limit: Int?) throws {
      let communicator = try SharedWorld.communicator(maximumCount: limit)
      let next = (communicator.rank + 1) % communicator.size
      let previous = (communicator.rank + communicator.size - 1) % communicator.size
      for count in Sample.counts {
        // Each rank's message has its own length, so the two directions end in different rounds.
        let outgoing: [Float] = Sample.values(
          count + 4 * communicator.rank, rank: communicator.rank)
        let expected: [Float] = Sample.values(count + 4 * previous, rank: previous)
        var incoming = [Float](repeating: -1, count: expected.count + 2)
        let received = try outgoing.withUnsafeBufferPointer { outgoing in
          try incoming.withUnsafeMutableBufferPointer {
            try communicator.sendReceive(outgoing, to: next, into: $0, from: previous, tag: 7)
          }
        }
        #expect(received == expected.count)
        #expect(incoming == expected + [-1, -1])
      }
    }

    @Test(arguments: Sample.limits)
    func receiveReturnsWhatWasSent(limit: Int?) throws {
      let communicator = try SharedWorld.communicator(maximumCount: limit)
      // Every rank sends to rank 0. MPI buffers a short message of a rank to itself.
      for count in Sample.counts {
        let own: [UInt64] = Sample.values(count, rank: communicator.rank)
        if communicator.rank > 0 || count < 17 { try communicator.send(own, to: 0, tag: count) }
        guard communicator.rank == 0 else { continue }
        for source in 0..<communicator.size where source > 0 || count < 17 {
          let length = try communicator.probe(UInt64.self, from: source, tag: count)
          #expect(length == min(count, communicator.maximumCount))
          let expected: [UInt64] = Sample.values(count, rank: source)
          if source % 2 == 1 {
            #expect(try communicator.receive(UInt64.self, from: source, tag: count) == expected)
          } else {
            // A buffer of exactly the message's length.
            var incoming = [UInt64](repeating: 99, count: count)
            let received = try incoming.withUnsafeMutableBufferPointer {
              try communicator.receive(into: $0, from: source, tag: count)
            }
            #expect(received == count)
            #expect(incoming == expected)
          }
        }
      }
      try communicator.barrier()
    }

    @Test func tagsKeepMessagesApart() throws {
      let communicator = try SharedWorld.communicator()
      try communicator.send([Int32(1)], to: communicator.rank, tag: 1)
      try communicator.send([Int32(2)], to: communicator.rank, tag: 2)
      #expect(try communicator.receive(Int32.self, from: communicator.rank, tag: 2) == [2])
      #expect(try communicator.receive(Int32.self, from: communicator.rank, tag: 1) == [1])
    }

    @Test(arguments: [nil, 2], [0, 1])
    func sendReceiveIntoATooSmallBufferThrows(limit: Int?, shift: Int) throws {
      let communicator = try SharedWorld.communicator(maximumCount: limit)
      let next = (communicator.rank + shift) % communicator.size
      let previous = (communicator.rank + communicator.size - shift) % communicator.size
      let outgoing = [Int32](repeating: 1, count: 4)
      var incoming = [Int32](repeating: 0, count: 3)
      let error = #expect(throws: MPIError.self) {
        try outgoing.withUnsafeBufferPointer { outgoing in
          _ = try incoming.withUnsafeMutableBufferPointer {
            try communicator.sendReceive(outgoing, to: next, into: $0, from: previous)
          }
        }
      }
      guard case .call(let function, _, let text) = error else {
        Issue.record("not MPIError.call: \(String(describing: error))")
        return
      }
      #expect(function == "MPI_Sendrecv")
      #expect(text.contains("MPI_ERR_TRUNCATE"))
    }

    @Test func receiveIntoATooSmallBufferThrows() throws {
      let communicator = try SharedWorld.communicator()
      try communicator.send([Double](repeating: 1, count: 4), to: communicator.rank)
      var incoming = [Double](repeating: 0, count: 3)
      #expect(throws: MPIError.self) {
        _ = try incoming.withUnsafeMutableBufferPointer {
          try communicator.receive(into: $0, from: communicator.rank)
        }
      }
    }

    @Test func probeOfAnotherTypeThrows() throws {
      let communicator = try SharedWorld.communicator()
      try communicator.send([UInt8](repeating: 1, count: 5), to: communicator.rank)
      #expect(throws: MPIError.self) { try communicator.probe(Int32.self, from: communicator.rank) }
      #expect(try communicator.receive(UInt8.self, from: communicator.rank).count == 5)
    }
  }
}
