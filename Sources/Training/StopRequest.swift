import MPI

/// The end of work between two steps because a signal requested a stop; thrown on every rank.
package struct StopRequested: Error {}

extension Communicator {
  /// Throws when a rank was asked to stop.
  ///
  /// Collective.
  ///
  /// - Throws: `StopRequested`, on every rank.
  package func endIfStopRequested() throws {
    let requests = try allGather([UInt8(Signals.isStopRequested ? 1 : 0)])
    if requests.contains(1) { throw StopRequested() }
  }

  /// Runs `body` on rank 0 while the other ranks wait asleep; if it fails, it fails on all ranks.
  ///
  /// Collective.
  ///
  /// - Parameter body: Calls its argument now and then, and ends soon after it returned true: a rank
  ///   was asked to stop. The argument is the only collective that it calls.
  /// - Returns: The result on rank 0; nil on the other ranks.
  /// - Throws: `StopRequested`, on every rank, or `RankFailure`.
  package func onRankZero<R>(
    _ body: (_ isStopRequested: () throws -> Bool) throws -> R
  ) throws -> R? {
    var (isDone, isStopped) = (false, false)
    func exchange(_ own: Bool) throws {
      try awaitAll()
      let words = try allReduce([own ? 1 : 0, Signals.isStopRequested ? 1 : 0] as [UInt8], .max)
      (isDone, isStopped) = (words[0] == 1, words[1] == 1)
    }
    var result: Result<R, any Error>?
    if rank == 0 {
      result = Result {
        try body {
          if !isStopped { try exchange(false) }
          return isStopped
        }
      }
    }
    while !isDone && !isStopped { try exchange(rank == 0) }
    if isStopped { throw StopRequested() }
    return try together { try result?.get() }
  }
}
