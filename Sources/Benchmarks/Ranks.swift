import DataParallel
import MPI

/// Assignment of cores to the workers of a rank.
enum Ranks {
  /// Assigns cores to the workers of this rank; `workers` is the number of workers of the host.
  ///
  /// Collective.
  static func assign(workers: Int, _ world: Communicator) throws -> Cores.Assignment {
    let host = try world.splitByHost()
    let (own, allowed) = Cores.survey()
    let given = try host.allGatherV(own.map(Int64.init)).map { $0.map(Int.init) }
    return try Cores.assign(
      threads: max(1, workers / host.size), given: given, allowed: allowed, localRank: host.rank,
      oversubscribe: true)
  }
}
