import MPI
import TestWorld
import Testing

extension MPITests {
  @Suite struct MessagesTests {
    @Test(arguments: Sample.limits)
    func messagesTravelRoundTheRing(limit: Int?) throws {
      let group = try SharedWorld.group(maximumCount: limit)
      let next = (group.rank + 1) % group.size
      let previous = (group.rank + group.size - 1) % group.size
      for count in Sample.counts {
        // Each rank's message has its own length, so the two directions end in different rounds.
        let outgoing: [Float] = Sample.values(count + 4 * group.rank, rank: group.rank)
        let expected: [Float] = Sample.values(count + 4 * previous, rank: previous)
        var incoming = [Float](repeating: -1, count: expected.count + 2)
        let received = try outgoing.withUnsafeBufferPointer { outgoing in
          try incoming.withUnsafeMutableBufferPointer {
            try group.sendReceive(outgoing, to: next, into: $0, from: previous, tag: 7)
          }
        }
        #expect(received == expected.count)
        #expect(incoming == expected + [-1, -1])
      }
    }

    @Test(arguments: Sample.limits)
    func sendMeetsReceive(limit: Int?) throws {
      let group = try SharedWorld.group(maximumCount: limit)
      // Every rank but the first writes to it; short messages to itself are buffered by MPI.
      for count in Sample.counts {
        let own: [UInt64] = Sample.values(count, rank: group.rank)
        if group.rank > 0 || count < 17 { try group.send(own, to: 0, tag: count) }
        guard group.rank == 0 else { continue }
        for source in 0..<group.size where source > 0 || count < 17 {
          let length = try group.probe(UInt64.self, from: source, tag: count)
          #expect(length == min(count, group.maximumCount))
          let expected: [UInt64] = Sample.values(count, rank: source)
          if source % 2 == 1 {
            #expect(try group.receive(UInt64.self, from: source, tag: count) == expected)
          } else {
            // A buffer that is just long enough.
            var incoming = [UInt64](repeating: 99, count: count)
            let received = try incoming.withUnsafeMutableBufferPointer {
              try group.receive(into: $0, from: source, tag: count)
            }
            #expect(received == count)
            #expect(incoming == expected)
          }
        }
      }
      try group.barrier()
    }

    @Test func tagsKeepMessagesApart() throws {
      let group = try SharedWorld.group()
      try group.send([Int32(1)], to: group.rank, tag: 1)
      try group.send([Int32(2)], to: group.rank, tag: 2)
      #expect(try group.receive(Int32.self, from: group.rank, tag: 2) == [2])
      #expect(try group.receive(Int32.self, from: group.rank, tag: 1) == [1])
    }

    @Test(arguments: [nil, 2], [0, 1])
    func aMessageTooLongIsAnError(limit: Int?, shift: Int) throws {
      let group = try SharedWorld.group(maximumCount: limit)
      let next = (group.rank + shift) % group.size
      let previous = (group.rank + group.size - shift) % group.size
      let outgoing = [Int32](repeating: 1, count: 4)
      var incoming = [Int32](repeating: 0, count: 3)
      let error = #expect(throws: MPIError.self) {
        try outgoing.withUnsafeBufferPointer { outgoing in
          _ = try incoming.withUnsafeMutableBufferPointer {
            try group.sendReceive(outgoing, to: next, into: $0, from: previous)
          }
        }
      }
      guard case .call(let function, _, let text) = error else {
        Issue.record("not the error of a call: \(String(describing: error))")
        return
      }
      #expect(function == "MPI_Sendrecv")
      #expect(text.contains("MPI_ERR_TRUNCATE"))
    }

    @Test func receivingTooMuchIsAnError() throws {
      let group = try SharedWorld.group()
      try group.send([Double](repeating: 1, count: 4), to: group.rank)
      var incoming = [Double](repeating: 0, count: 3)
      #expect(throws: MPIError.self) {
        _ = try incoming.withUnsafeMutableBufferPointer {
          try group.receive(into: $0, from: group.rank)
        }
      }
    }

    @Test func aMessageOfAnotherTypeIsAnError() throws {
      let group = try SharedWorld.group()
      try group.send([UInt8](repeating: 1, count: 5), to: group.rank)
      #expect(throws: MPIError.self) { try group.probe(Int32.self, from: group.rank) }
      #expect(try group.receive(UInt8.self, from: group.rank).count == 5)
    }
  }
}
