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
    var code: Int32 = 0
    if case .failure(let error) = result {
      code = Failure.code(error) == 1 ? 2 : Failure.code(error)
    }
    let codes = try world.allGather([code])
    guard let first = codes.firstIndex(where: { $0 != 0 }) else { return try result.get() }
    if case .failure(let error) = result, world.rank == first {
      let place = first == 0 ? "" : "rank \(first) on \((try? Communicator.hostName) ?? "?"): "
      Failure.report(place + Failure.sentence(error))
    }
    throw ExitCode(codes[first])
  }

  /// The workers of this rank.
  ///
  /// Collective.
  static func workers(_ world: Communicator, threads: Int?, oversubscribe: Bool) throws
    -> Cores.Assignment
  {
    let host = try world.splitByHost()
    let (own, allowed) = Cores.survey()
    let given = try host.allGatherV(own.map(Int64.init)).map { $0.map(Int.init) }
    // The same number everywhere, also where hosts have different numbers of cores or ranks.
    let share = try world.allReduce(Int64(max(1, allowed.count / host.size)), .min)
    return try together(world) {
      do {
        return try Cores.assign(
          threads: threads ?? Int(share), given: given, allowed: allowed, localRank: host.rank,
          oversubscribe: oversubscribe)
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
