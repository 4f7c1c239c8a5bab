import DataParallel
import MPI

extension Cores {
  /// Assigns cores to the workers of this rank; `workers` is the number of workers of the host.
  ///
  /// Collective.
  static func assign(workers: Int, _ world: Communicator) throws -> Assignment {
    let host = try world.splitByHost()
    let (own, allowed) = survey()
    let given = try host.allGatherV(own.map(Int64.init)).map { $0.map(Int.init) }
    return try assign(
      threads: max(1, workers / host.size), given: given, allowed: allowed, localRank: host.rank,
      oversubscribe: true)
  }
}
