import ArgumentParser
import DataParallel
import Tensors

/// The threads of a command that runs without `mpirun`.
struct ThreadArguments: ParsableArguments {
  @Option(help: "Number of threads (default: all cores).")
  var threads: Int?

  func validate() throws { try requireOneOrMore(threads, of: "--threads") }

  /// Starts the threads as a team; nil for a single one.
  func team() throws -> ThreadTeam? {
    let cores = max(1, Cores.survey().allowed.count)
    let size = threads ?? cores
    try Cores.requireFewThreads(size, cores: cores)
    try MatrixLibrary.reserveBuffers(threads: size)
    return size > 1 ? try ThreadTeam(size: size) : nil
  }
}

/// Refuses a value of `option` below 1.
func requireOneOrMore(_ value: Int?, of option: String) throws {
  if let value, value < 1 { throw ValidationError("\(option) must be at least 1, not \(value).") }
}
