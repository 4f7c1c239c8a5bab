import Glibc
import TestWorld
import Testing

@testable import MPI

/// Tests of an environment's lifetime, each in a process of its own; a rank of `mpirun` must not
/// fork.
@Suite(
  .serialized,
  .enabled(if: !SharedWorld.isUnderMPIRun, "A rank must not fork: `swift test` runs these."))
struct MPIEnvironmentTests {
  @Test func leavingTheScopeFinalisesMPI() async {
    await #expect(processExitsWith: .exitCode(7)) {
      func scope() throws -> Int64 {
        let environment = try MPIEnvironment()
        let communicator = try environment.world.split(color: 0)
        return try communicator.allReduce(7, .sum)
      }
      let code = Int32(try scope())
      exit(MPIEnvironment.isRunning ? 1 : code)
    }
  }

  @Test func abortReturnsItsCodeAndFlushesOutput() async throws {
    let result = try await #require(
      processExitsWith: .exitCode(5), observing: [\.standardOutputContent]
    ) {
      let environment = try MPIEnvironment(requiring: .multiple)
      print("last words", terminator: "")
      MPIEnvironmentTests.end(environment)
    }
    #expect(String(decoding: result.standardOutputContent, as: UTF8.self).contains("last words"))
  }

  /// Calls `abort`; inside the macro's closure a call that never returns would raise a warning.
  private static func end(_ environment: borrowing MPIEnvironment) {
    environment.abort(code: 5)
  }

  @Test func aCommunicatorMayOutliveTheEnvironment() async {
    await #expect(processExitsWith: .success) {
      func scope() throws -> Communicator {
        let environment = try MPIEnvironment()
        return try environment.world.split(color: 0)
      }
      let communicator = try scope()
      #expect(communicator.size == 1)
    }
  }

  @Test func theUsersYieldSettingIsKept() async {
    await #expect(processExitsWith: .success) {
      setenv("OMPI_MCA_mpi_yield_when_idle", "0", 1)
      let environment = try MPIEnvironment()
      #expect(environment.world.size == 1)
      #expect(getenv("OMPI_MCA_mpi_yield_when_idle").map { String(cString: $0) } == "0")
    }
  }

  @Test func aSecondStartFailsAPrecondition() async {
    await #expect(processExitsWith: .failure) {
      do { _ = try MPIEnvironment() }
      _ = try MPIEnvironment()
    }
  }

  @Test func limitsOutsideTheirRangeFailAPrecondition() async {
    await #expect(processExitsWith: .failure) {
      let environment = try MPIEnvironment()
      environment.world.maximumCount = 0
    }
  }
}
