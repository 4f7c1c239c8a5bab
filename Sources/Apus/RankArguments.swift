import ArgumentParser
import DataParallel
import Faults
import MPI
import Tensors

/// The options of commands that run on one rank or under `mpirun`.
struct RankArguments: ParsableArguments {
  @Option(help: "Threads per rank (default: cores of the host ÷ its ranks).")
  var threads: Int?

  @Flag(help: "Allow more threads than cores.")
  var oversubscribe = false

  func validate() throws {
    try requireOneOrMore(threads, of: "--threads")
  }

  /// Initialises MPI and runs `body` on every rank; an error on one rank ends all of them.
  ///
  /// - Parameter settings: The settings that all ranks must have in common, beside the command itself.
  func run(
    agreeingOn settings: [(name: String, value: String)],
    _ body: (_ world: Communicator, _ workers: Cores.Assignment) throws -> Void
  ) throws {
    try MatrixLibrary.requireRoomToStart()
    FaultSchedule.reach(.join)
    let environment = try MPIEnvironment()
    let world = environment.world
    MatrixLibrary.useCallingThreadOnly()
    do {
      let workers = try StartLimit.watching {
        FaultSchedule.reach(.start)
        // Ranks with different commands would wait for each other's messages.
        try StartContract([("command", CommandLine.arguments.dropFirst().first ?? "")] + settings)
          .agree(over: world)
        let workers = try Ranks.workers(world, threads: threads, oversubscribe: oversubscribe)
        try world.together { try MatrixLibrary.reserveBuffers(threads: workers.threads + 1) }
        return workers
      }
      try body(world, workers)
    } catch {
      try Failure.end(error, on: world)
    }
  }

  /// The workers of a command in a recipe: those of the recipe, unless the command has `--threads`.
  ///
  /// Collective.
  func workers(_ world: Communicator, inRecipeWith workers: Cores.Assignment) throws
    -> Cores.Assignment
  {
    guard let threads else { return workers }
    return try Ranks.workers(world, threads: threads, oversubscribe: oversubscribe)
  }
}
