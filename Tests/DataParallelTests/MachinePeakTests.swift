import Glibc
import Synchronization
import TestWorld
import Testing

@testable import DataParallel

@Suite(.serialized, .worldInTurn) struct MachinePeakTests {
  /// The work is a sleep, which needs no core: a rate below the bound means that a thread did no
  /// work.
  @Test(arguments: [(1, 1), (2, 1), (1, 3), (2, 2)])
  func theRateCountsEveryThreadOfATeam(threads: Int, team: Int) throws {
    let alone = try SharedWorld.world.split(color: SharedWorld.world.rank)
    let replicas = try SmallNetwork.replicas(
      alone, .init(microBatches: threads, threads: threads, team: team))
    let seen = Mutex<Set<pthread_t>>([])
    let rate = try replicas.rate(seconds: 0.2) { _ in
      (
        1,
        {
          seen.withLock { _ = $0.insert(pthread_self()) }
          usleep(10_000)
        }
      )
    }
    #expect(seen.withLock(\.count) == threads * team)
    #expect(rate > 0.6 * 100 * Double(threads * team) && rate <= 100 * Double(threads * team))
  }
}
