import ArgumentParser
import DataParallel
import MPI
import Tensors

/// How a command uses the cores, alone or under `mpirun`.
struct RankArguments: ParsableArguments {
  @Option(help: "Workers per rank; the host's cores ÷ its ranks when absent.")
  var threads: Int?

  @Flag(help: "Allow more workers than cores.")
  var oversubscribe = false

  func validate() throws {
    if let threads, threads < 1 {
      throw ValidationError("--threads must be at least 1, not \(threads).")
    }
  }

  /// Runs `body` on every rank; what it throws ends all of them.
  func run(_ body: (_ world: Communicator, _ workers: Cores.Assignment) throws -> Void) throws {
    let environment = try MPIEnvironment()
    let world = environment.world
    MatrixLibrary.useCallingThreadOnly()
    do {
      try body(
        world, try Ranks.workers(world, threads: threads, oversubscribe: oversubscribe))
    } catch {
      try Failure.end(error, on: world)
    }
  }
}
