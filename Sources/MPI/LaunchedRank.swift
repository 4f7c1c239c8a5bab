internal import Glibc

/// The place of this process among the ranks, as its launcher wrote it into the environment.
///
/// It is known before `MPI_Init`, and also where the launcher belongs to another MPI than this
/// program, so that each rank is a world of its own.
package struct LaunchedRank: Equatable, Sendable {
  /// The launcher, for a sentence.
  package let launcher: String
  /// The rank, from 0.
  package let rank: Int
  /// The number of ranks; nil when the launcher does not say.
  package let size: Int?
  /// The position among the ranks of this host, and their number.
  let local: (rank: Int, size: Int)?
  /// The names of the processes that start ranks, of at most 15 characters.
  let parents: Set<String>
  /// The beginning of the entry with the position in the environment of a rank.
  let localKey: String

  /// The variables of a launcher.
  private struct Variables: Sendable {
    let launcher: String
    let rank: String
    let size: String
    let localRank: String
    let localSize: String
    let parents: Set<String>
  }

  private static let openMPI = Variables(
    launcher: "the mpirun of Open MPI", rank: "OMPI_COMM_WORLD_RANK", size: "OMPI_COMM_WORLD_SIZE",
    localRank: "OMPI_COMM_WORLD_LOCAL_RANK", localSize: "OMPI_COMM_WORLD_LOCAL_SIZE",
    parents: ["mpirun", "mpiexec", "orterun", "orted"])
  // srun has no variable of PMIx for the number of ranks.
  private static let pmix = Variables(
    launcher: "a PMIx launcher (srun --mpi=pmix)", rank: "PMIX_RANK", size: "SLURM_STEP_NUM_TASKS",
    localRank: "SLURM_LOCALID", localSize: "", parents: [])
  // MPICH and its descendants, and srun --mpi=pmi2.
  private static let pmi = Variables(
    launcher: "a PMI launcher (mpiexec of MPICH, srun --mpi=pmi2)", rank: "PMI_RANK",
    size: "PMI_SIZE",
    localRank: "MPI_LOCALRANKID", localSize: "MPI_LOCALNRANKS", parents: ["hydra_pmi_proxy"])

  /// Reads the variables of the launcher that fits to `library`, the text of an MPI library, or else
  /// those of another one; nil for a process without a launcher.
  ///
  /// A rank may have started the launcher of another MPI, which inherits its variables.
  package init?(library: String = MPIEnvironment.libraryVersion, _ variable: (String) -> Int?) {
    // The mpirun of Open MPI also sets PMIX_RANK, and only its own variables have the size.
    let others = [Self.openMPI, Self.pmix]
    let launchers = library.hasPrefix("Open MPI") ? others + [Self.pmi] : [Self.pmi] + others
    guard let own = launchers.first(where: { variable($0.rank) != nil }),
      let rank = variable(own.rank)
    else { return nil }
    self.rank = rank
    launcher = own.launcher
    size = variable(own.size)
    local = variable(own.localRank).flatMap { place in
      variable(own.localSize).map { (place, $0) }
    }
    parents = own.parents
    localKey = own.localRank + "="
  }

  /// The place of this process; nil without a launcher.
  ///
  /// It is read once, before `MPI_Init`: Open MPI writes its variables into the environment of a
  /// process that it finds alone.
  package static let current = LaunchedRank { name in
    getenv(name).flatMap { Int(String(cString: $0)) }
  }

  package static func == (one: LaunchedRank, other: LaunchedRank) -> Bool {
    one.launcher == other.launcher && one.rank == other.rank && one.size == other.size
  }
}

/// A launcher that belongs to another MPI than this program: each of its ranks is alone.
///
/// Each would train by itself, and all would write into one run folder.
package struct LauncherMismatch: Error, Equatable, Sendable, CustomStringConvertible {
  /// The launcher, for a sentence.
  let launcher: String
  /// The number of ranks that it started.
  let ranks: Int
  /// The name and version of the linked library.
  let library: String

  /// Compares the ranks that the launcher has started with `world`; nil when they are the same.
  init?(_ launched: LaunchedRank?, world: Int, library: String) {
    guard let launched, let ranks = launched.size, world == 1, ranks > 1 else { return nil }
    self.ranks = ranks
    self.library = library
    launcher = launched.launcher
  }

  /// One sentence: what, where, why, what to do.
  package var description: String {
    let own =
      library.hasPrefix("Open MPI")
      ? "the mpirun of Open MPI (on Debian mpirun.openmpi), or srun --mpi=pmix"
      : "the mpiexec of MPICH (on Debian mpiexec.mpich), or srun --mpi=pmi2"
    return
      "each of the \(ranks) ranks is alone, because \(launcher) started them and apus is built "
      + "with \(library): start it with \(own), or build apus with the MPI of the launcher"
  }
}
