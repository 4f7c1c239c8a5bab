import ArgumentParser
import DataParallel
import MPI
import Training

/// What a command that runs under `mpirun` does before its work.
enum Ranks {
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
    return try world.together {
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
