import ArgumentParser
import DataParallel
import MPI

/// What a command that runs under `mpirun` does before its work.
enum Ranks {
  /// Runs `body` on every rank; if it fails anywhere, it fails everywhere, and one rank tells.
  ///
  /// Collective.
  static func together<R>(_ world: Communicator, _ body: () throws -> R) throws -> R {
    let result = Result { try body() }
    var failed: UInt8 = 0
    if case .failure = result { failed = 1 }
    let all = try world.allGather([failed])
    guard let first = all.firstIndex(of: 1) else { return try result.get() }
    guard case .failure(let error) = result else { throw ExitCode(2) }
    if world.rank == first {
      let place = first == 0 ? "" : "rank \(first) on \((try? Communicator.hostName) ?? "?"): "
      Failure.report(place + Failure.sentence(error))
    }
    throw ExitCode(Failure.code(error) == 1 ? 2 : Failure.code(error))
  }

  /// The workers of this rank.
  ///
  /// Collective.
  static func workers(_ world: Communicator, threads: Int?, oversubscribe: Bool) throws
    -> Cores.Assignment
  {
    let host = try world.splitByHost()
    let (given, allowed) = Cores.survey()
    return try together(world) {
      do {
        return try Cores.assign(
          threads: threads, given: given, allowed: allowed, localRank: host.rank,
          localRanks: host.size, oversubscribe: oversubscribe)
      } catch let error as Cores.Oversubscribed {
        let host = try Communicator.hostName
        throw Failure.Refusal(
          "\(error.workers) workers (ranks × threads) on \(host) are more than "
            + "its \(error.cores) cores: start fewer ranks, lower --threads, or pass "
            + "--oversubscribe.")
      }
    }
  }
}
