import DataParallel
import Files
import Foundation
import MPI

/// The set-up of a command that runs under `mpirun`.
enum Ranks {
  /// True when `mpirun` started several ranks; a single process may then skip `MPI_Init`.
  static var isDistributed: Bool {
    let names = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"]
    let sizes = names.compactMap { ProcessInfo.processInfo.environment[$0] }.compactMap { Int($0) }
    return sizes.contains { $0 > 1 }
  }

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
