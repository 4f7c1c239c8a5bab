import Glibc
import MPI
import TestWorld
import Testing

/// The tests that call MPI: one serialised suite, so that every rank makes the same calls in the
/// same order.
@Suite(.serialized, .worldInTurn)
struct MPITests {
  @Test func theWorldHasTheExpectedSize() {
    #expect(SharedWorld.world.size == SharedWorld.expectedSize)
    #expect(0..<SharedWorld.world.size ~= SharedWorld.world.rank)
  }

  @Test func theRequiredThreadLevelIsGranted() {
    #expect(SharedWorld.threadLevel >= .serialized)
  }

  @Test func waitingRanksYieldTheirCore() {
    #expect(SharedWorld.world.size >= 1)
    #expect(getenv("OMPI_MCA_mpi_yield_when_idle").map { String(cString: $0) } == "1")
  }

  @Test func hostNameIsThatOfTheSystem() throws {
    _ = SharedWorld.world
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, 255)
    let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    #expect(try Communicator.hostName == String(decoding: bytes, as: UTF8.self))
  }
}
