import DataParallel
import Glibc
import MPI
import Monitoring
import Tensors

extension TrainingPlan {
  /// Returns the facts that must be equal on all ranks at the start of a run.
  func contract(version: String, threads: Int, profiles: Bool) -> StartContract {
    StartContract(
      [("program", version)] + lines
        + settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        + [
          ("parameter layout", "\(layoutDigest)"), ("threads", "\(threads)"),
          ("--profile", "\(profiles)"), ("MPI library", MPIEnvironment.libraryVersion),
        ])
  }
}

extension TrainingRun {
  /// Returns the step from which the run of `plan` would continue, 0 for a new one; changes nothing.
  ///
  /// Throws what would refuse the run, as far as it is known before the data is prepared. Collective.
  package static func firstStep(
    of plan: TrainingPlan, resume: Resume, world: Communicator
  ) throws -> Int {
    try world.together { try plan.requireRanks(world.size) }
    let folder = RunFolder(plan.run)
    let candidate = try Resumption.locate(resume, for: plan, in: folder, world: world)
    try requireRoom(for: plan, in: folder, after: candidate, world: world)
    return Int(try world.broadcast(Int64(candidate?.checkpoint?.step ?? 0)))
  }

  /// Refuses a run whose checkpoints do not fit on the disk.
  ///
  /// Collective.
  static func requireRoom(
    for plan: TrainingPlan, in folder: RunFolder, after candidate: Resumption.Candidate?,
    world: Communicator
  ) throws {
    try world.together {
      // With epochs, the data decides the number of steps.
      if world.rank == 0, plan.epochs == nil {
        try plan.requireRoom(in: folder, after: candidate?.checkpoint)
      }
    }
  }

  func writeEnvironment(_ workers: Cores.Assignment, hosts: [String], version: String)
    throws
  {
    try RunEnvironment(
      versions: [
        "apus": version, "matrixLibrary": MatrixLibrary.description,
        "mpi": MPIEnvironment.libraryVersion, "cLibrary": MatrixLibrary.mathVersion,
      ],
      hosts: hosts, ranks: world.size, threads: workers.threads,
      fields: ["kernels": .string(MatrixLibrary.kernelLevel)]
    ).write(to: folder.environment)
  }
}
