import DataParallel
import MPI

/// The workers of one rank among others on this host.
enum Ranks {
  /// The cores of this rank's workers; `workers` are all workers of the host.
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
