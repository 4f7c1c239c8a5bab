import Testing

@testable import MPI

struct LaunchedRankTests {
  private static let (open, mpich) = ("Open MPI v4.1.4", "MPICH 4.0.2")

  private func launched(_ library: String, _ variables: [String: Int]) -> LaunchedRank? {
    LaunchedRank(library: library) { variables[$0] }
  }

  @Test func everyLauncherIsRecognised() throws {
    #expect(launched(Self.open, [:]) == nil)
    let variables = [
      "OMPI_COMM_WORLD_RANK": 1, "OMPI_COMM_WORLD_SIZE": 4, "OMPI_COMM_WORLD_LOCAL_RANK": 0,
      "OMPI_COMM_WORLD_LOCAL_SIZE": 2, "PMIX_RANK": 1,
    ]
    for library in [Self.open, Self.mpich] {
      let rank = try #require(launched(library, variables))
      #expect(rank.rank == 1 && rank.size == 4 && rank.local?.rank == 0 && rank.local?.size == 2)
    }
    let hydra = try #require(
      launched(
        Self.open, ["PMI_RANK": 2, "PMI_SIZE": 3, "MPI_LOCALRANKID": 2, "MPI_LOCALNRANKS": 3]))
    #expect(hydra.rank == 2 && hydra.size == 3 && hydra.parents == ["hydra_pmi_proxy"])
    let srun = try #require(
      launched(Self.mpich, ["PMIX_RANK": 0, "SLURM_STEP_NUM_TASKS": 2, "SLURM_LOCALID": 0]))
    #expect(srun.rank == 0 && srun.size == 2 && srun.local == nil)
  }

  /// A rank of one MPI starts the launcher of the other, whose ranks inherit the variables.
  @Test func theLauncherOfTheLinkedLibraryComesFirst() {
    let both = [
      "OMPI_COMM_WORLD_RANK": 3, "OMPI_COMM_WORLD_SIZE": 4, "PMI_RANK": 1, "PMI_SIZE": 2,
    ]
    #expect(launched(Self.open, both)?.rank == 3)
    #expect(launched(Self.mpich, both)?.rank == 1)
  }

  @Test func aLauncherOfAnotherMPIIsAnError() throws {
    let variables = ["PMI_RANK": 1, "PMI_SIZE": 2]
    let mismatch = try #require(
      LauncherMismatch(launched(Self.open, variables), world: 1, library: Self.open))
    #expect(
      "\(mismatch)"
        == "each of the 2 ranks is alone, because a PMI launcher (mpiexec of MPICH, srun --mpi=pmi2) "
        + "started them and apus is built with Open MPI v4.1.4: start it with the mpirun of Open MPI "
        + "(on Debian mpirun.openmpi), or srun --mpi=pmix, or build apus with the MPI of the launcher"
    )
    let other = LauncherMismatch(
      launched(Self.mpich, ["OMPI_COMM_WORLD_RANK": 0, "OMPI_COMM_WORLD_SIZE": 2]), world: 1,
      library: Self.mpich)
    #expect("\(try #require(other))".contains("start it with the mpiexec of MPICH"))
    for (world, size) in [(2, 2), (1, 1)] {
      let launched = launched(Self.mpich, ["PMI_RANK": 0, "PMI_SIZE": size])
      #expect(LauncherMismatch(launched, world: world, library: Self.mpich) == nil)
    }
    #expect(LauncherMismatch(nil, world: 1, library: Self.open) == nil)
  }

  @Test func theTextOfALibraryIsShortened() {
    #expect(MPIEnvironment.shortened("Open MPI v4.1.4, package: Debian") == Self.open)
    #expect(
      MPIEnvironment.shortened("MPICH Version:\t4.0.2\nMPICH Release date:\tThu") == Self.mpich)
    #expect(
      MPIEnvironment.shortened("Intel(R) MPI Library 2021.10") == "Intel(R) MPI Library 2021.10")
  }
}
