import DataParallel
import MPI

/// The set-up of a command that runs under `mpirun`.
enum Ranks {
  /// The rank from the launcher's environment, available before `MPI_Init`; 0 without a launcher.
  static var own: Int { LaunchedRank.current?.rank ?? 0 }

  /// Assigns cores to the workers of this rank.
  ///
  /// Collective.
  static func workers(_ world: Communicator, threads: Int?, oversubscribe: Bool) throws
    -> Cores.Assignment
  {
    let host = try world.splitByHost()
    let (own, allowed) = Cores.survey()
    let given = try host.allGatherV(own.map(Int64.init)).map { $0.map(Int.init) }
    // Every rank has as many workers, even if hosts differ in their numbers of cores or ranks.
    let perRank = try world.allReduce(Int64(max(1, allowed.count / host.size)), .min)
    return try world.together {
      try Cores.assign(
        threads: threads ?? Int(perRank), given: given, allowed: allowed, localRank: host.rank,
        oversubscribe: oversubscribe)
    }
  }
}
