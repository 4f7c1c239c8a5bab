import Glibc
import TestWorld
import Testing

@testable import MPI

/// The life of an environment, each in a process of its own; a rank of `mpirun` must not fork.
@Suite(
  .serialized,
  .enabled(if: !SharedWorld.isUnderMPIRun, "A rank must not fork: `swift test` runs these."))
struct MPIEnvironmentTests {
  @Test func aScopeFinalises() async {
    await #expect(processExitsWith: .exitCode(7)) {
      func scope() throws -> Int64 {
        let environment = try MPIEnvironment()
        let group = try environment.world.duplicate()
        return try group.allReduce(7, .sum)
      }
      let code = Int32(try scope())
      exit(MPIEnvironment.isRunning ? 1 : code)
    }
  }

  @Test func abortingReturnsItsCodeAndWritesWhatIsBuffered() async throws {
    let result = try await #require(
      processExitsWith: .exitCode(5), observing: [\.standardOutputContent]
    ) {
      let environment = try MPIEnvironment(requiring: .multiple)
      print("last words", terminator: "")
      MPIEnvironmentTests.end(environment)
    }
    #expect(String(decoding: result.standardOutputContent, as: UTF8.self).contains("last words"))
  }

  /// Inside the macro's closure a call that never returns would be warned of.
  private static func end(_ environment: borrowing MPIEnvironment) {
    environment.abort(code: 5)
  }

  @Test func aGroupMayOutliveTheEnvironment() async {
    await #expect(processExitsWith: .success) {
      func scope() throws -> Communicator {
        let environment = try MPIEnvironment()
        return try environment.world.duplicate()
      }
      let group = try scope()
      #expect(group.size == 1)
    }
  }

  @Test func theUsersOwnYieldSettingStays() async {
    await #expect(processExitsWith: .success) {
      setenv("OMPI_MCA_mpi_yield_when_idle", "0", 1)
      let environment = try MPIEnvironment()
      #expect(environment.world.size == 1)
      #expect(getenv("OMPI_MCA_mpi_yield_when_idle").map { String(cString: $0) } == "0")
    }
  }

  @Test func aSecondStartIsMisuse() async {
    await #expect(processExitsWith: .failure) {
      do { _ = try MPIEnvironment() }
      _ = try MPIEnvironment()
    }
  }

  @Test func limitsOutsideTheirRangeAreMisuse() async {
    await #expect(processExitsWith: .failure) {
      let environment = try MPIEnvironment()
      environment.world.maximumCount = 0
    }
  }
}
