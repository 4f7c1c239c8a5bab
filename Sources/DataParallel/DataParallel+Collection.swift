import MPI
import Tensors

extension DataParallel {
  /// Runs `body` once per index in 0 ..< `count` over all workers of all ranks and returns its
  /// records on every rank, in the order of the indices.
  ///
  /// For generation and scoring: nothing is recorded on the tape. Collective.
  ///
  /// - Parameter body: Returns any number of records; each index may return a different number.
  package func collected<Record: BitwiseCopyable>(
    count: Int,
    _ body:
      @escaping @Sendable (_ replica: Replica, _ workspace: Workspace, _ index: Int) throws
      -> [Record]
  ) throws -> [[Record]] {
    let results = try computed(count: count, default: [], body)
    return try gathered(count: count) { results[$0] }
  }

  /// Runs `body` as `collected` does, and returns the totals of its tallies on every rank, added in
  /// the order of the indices.
  ///
  /// For evaluation: nothing is recorded on the tape. Collective.
  ///
  /// - Parameter tallies: The number of tallies that `body` returns for each index.
  package func totals(
    count: Int, tallies: Int = 1,
    _ body:
      @escaping @Sendable (_ replica: Replica, _ workspace: Workspace, _ index: Int) throws
      -> [Tally]
  ) throws -> [Tally] {
    let all = try collected(count: count) { replica, workspace, index in
      let own = try body(replica, workspace, index)
      precondition(own.count == tallies, "\(own.count) tallies where \(tallies) were expected")
      return own
    }
    return (0..<tallies).map { place in all.map { $0[place] }.total }
  }

  /// Runs `body` as `collected` does, and returns both the total of its tallies and its records.
  ///
  /// Collective.
  package func measured<Record: BitwiseCopyable>(
    count: Int,
    _ body:
      @escaping @Sendable (_ replica: Replica, _ workspace: Workspace, _ index: Int) throws
      -> (tally: Tally, records: [Record])
  ) throws -> (total: Tally, records: [[Record]]) {
    let results = try computed(count: count, default: (tally: Tally(), records: [Record]()), body)
    let tallies = try gathered(count: count) { [results[$0].tally] }
    return (tallies.joined().total, try gathered(count: count) { results[$0].records })
  }

  /// Computes the indices that this rank owns: lane i mod lanes computes index i, where a lane is a
  /// worker of a rank.
  private func computed<Value>(
    count: Int, default value: Value,
    _ body: @escaping @Sendable (Replica, Workspace, Int) throws -> Value
  ) throws -> Slots<Value> {
    let lanes = world.size * plan.threads
    let results = Slots(repeating: value, count: count)
    try pool.run { [self] thread in
      let lane = world.rank * plan.threads + thread
      for index in stride(from: lane, to: count, by: lanes) {
        results[index] = try body(workers[thread].replica, workers[thread].workspace, index)
      }
    }
    return results
  }

  /// Returns the records of all indices on every rank; they travel as bytes.
  private func gathered<Record: BitwiseCopyable>(
    count: Int, _ records: (_ index: Int) -> [Record]
  ) throws -> [[Record]] {
    let owner = { [plan, lanes = world.size * plan.threads] (index: Int) in
      index % lanes / plan.threads
    }
    // A rank sends its records in ascending order of index.
    let own = (0..<count).filter { owner($0) == world.rank }.map(records)
    let lengths = try world.allGatherV([Int64(count)] + own.map { Int64($0.count) })
    // Every rank compares the same numbers, so that all of them throw or none.
    if lengths.contains(where: { $0[0] != lengths[0][0] }) {
      try StartContract([("number of inputs", "\(count)")]).agree(over: world)
    }
    let bytes = try world.allGatherV(own.flatMap { $0 }.withUnsafeBytes { Array($0) })
    var next = [(item: Int, byte: Int)](repeating: (0, 0), count: world.size)
    return (0..<count).map { index in
      let rank = owner(index)
      let length = Int(lengths[rank][1 + next[rank].item])
      let range = next[rank].byte..<next[rank].byte + length * MemoryLayout<Record>.stride
      next[rank] = (next[rank].item + 1, range.upperBound)
      return Array(unsafeUninitializedCapacity: length) { buffer, initialized in
        UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes[rank][range])
        initialized = length
      }
    }
  }
}
