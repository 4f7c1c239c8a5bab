import MPI

/// What stopped one rank where all were ready to end together; thrown on every rank.
public struct RankFailure: Error {
  /// The rank, the lowest where there were several.
  public let rank: Int
  /// What it ran into; nil on the others, which know only that it did.
  public let error: (any Error)?
}

extension Communicator {
  /// Runs `body` on every rank; if it fails on one, it fails on all.
  ///
  /// Ranks that are done sleep until the last one is. Collective, and no collective may stand in
  /// `body`: the rank that fails would miss it.
  ///
  /// - Throws: `RankFailure`.
  public func together<R>(_ body: () throws -> R) throws -> R {
    let result = Result { try body() }
    var error: (any Error)?
    if case .failure(let own) = result { error = own }
    try awaitAll()
    let fails = try allGather([UInt8(error == nil ? 0 : 1)])
    guard let first = fails.firstIndex(of: 1) else { return try result.get() }
    throw RankFailure(rank: first, error: rank == first ? error : nil)
  }
}
