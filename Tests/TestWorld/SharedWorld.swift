import Glibc
import MPI

/// The MPI environment of all tests of this process: it is started at the first use and finalised
/// at exit.
///
/// Swift Testing has no `main` that could hold the environment, and a global is never destroyed.
/// Therefore an exit handler finalises it; otherwise `mpirun` would report every rank as failed.
/// Suites that use it have the trait ``Testing/Trait/worldInTurn``.
package enum SharedWorld {
  nonisolated(unsafe) private static var environment: MPIEnvironment?

  /// The number of ranks that the tests were started with: `EXPECTED_RANKS`, by default 1.
  package static var expectedSize: Int {
    getenv("EXPECTED_RANKS").flatMap { Int(String(cString: $0)) } ?? 1
  }

  /// True when `mpirun` started this process.
  package static var isUnderMPIRun: Bool { LaunchedRank.current != nil }

  /// The thread level that MPI granted.
  package static let threadLevel = start()

  /// The communicator of all ranks.
  package static var world: Communicator {
    _ = threadLevel
    guard let world = environment?.world else { preconditionFailure("MPI has ended") }
    return world
  }

  /// Returns a communicator of all ranks for one test, with limits and traffic of its own.
  package static func communicator(maximumCount: Int? = nil) throws -> Communicator {
    let communicator = try world.split(color: 0)
    if let maximumCount { communicator.maximumCount = maximumCount }
    return communicator
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
