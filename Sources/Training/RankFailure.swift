import MPI

/// An error on one rank, thrown on all.
package struct RankFailure: Error {
  /// The rank that failed; the lowest of several.
  package let rank: Int
  /// The error on that rank; nil on all others.
  package let error: (any Error)?

  package init(rank: Int, error: (any Error)?) {
    self.rank = rank
    self.error = error
  }
}

extension Communicator {
  /// Runs `body` on every rank; if it fails on one, it fails on all.
  ///
  /// Ranks that are done sleep until the last one is. Collective; `body` must not call a
  /// collective, which a failing rank would miss.
  ///
  /// - Throws: `RankFailure`.
  package func together<R>(_ body: () throws -> R) throws -> R {
    let result = Result { try body() }
    var error: (any Error)?
    if case .failure(let own) = result { error = own }
    try awaitAll()
    let fails = try allGather([UInt8(error == nil ? 0 : 1)])
    guard let first = fails.firstIndex(of: 1) else { return try result.get() }
    throw RankFailure(rank: first, error: rank == first ? error : nil)
  }
}
