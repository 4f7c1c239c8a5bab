// "One MPI environment for all tests of a process."

import Glibc
import MPI

/// MPI for all tests of this process: started with the first use, finalised at exit.
///
/// Swift Testing has no `main` that could hold the environment, and a global is never destroyed; an
/// exit handler does it, or `mpirun` would report every rank as failed. Suites that use it carry the
/// trait ``Testing/Trait/worldInTurn``.
public enum SharedWorld {
  nonisolated(unsafe) private static var environment: MPIEnvironment?

  /// The number of ranks that the test's caller promised: `EXPECTED_RANKS`, 1 where it is not set.
  public static var expectedSize: Int {
    getenv("EXPECTED_RANKS").flatMap { Int(String(cString: $0)) } ?? 1
  }

  /// Whether this process was started by `mpirun`.
  public static var isUnderMPIRun: Bool { getenv("OMPI_COMM_WORLD_SIZE") != nil }

  /// What MPI granted.
  public static let threadLevel = start()

  /// All ranks.
  public static var world: Communicator {
    _ = threadLevel
    guard let world = environment?.world else { preconditionFailure("MPI has ended") }
    return world
  }

  /// A group of all ranks for one test, so that its limits and traffic are its own.
  public static func group(maximumCount: Int? = nil) throws -> Communicator {
    let group = try world.duplicate()
    if let maximumCount { group.maximumCount = maximumCount }
    return group
  }

  private static func start() -> ThreadLevel {
    do {
      let new = try MPIEnvironment()
      let level = new.threadLevel
      environment = consume new
      atexit { SharedWorld.environment = nil }
      return level
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
