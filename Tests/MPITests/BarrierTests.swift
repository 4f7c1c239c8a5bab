import Glibc
import MPI
import TestWorld
import Testing

extension MPITests {
  @Suite struct BarrierTests {
    @Test func noRankLeavesABarrierBeforeAllHaveArrived() throws {
      let communicator = try SharedWorld.communicator()
      try expectBarrier(communicator, Communicator.barrier)
      try expectBarrier(communicator, Communicator.awaitAll)
      #expect(communicator.traffic.calls == 2 + 2 * 1)
    }

    @Test func awaitAllSleepsWhileItWaits() throws {
      let communicator = try SharedWorld.communicator()
      try communicator.barrier()
      let isLast = communicator.rank == communicator.size - 1
      let before = (seconds: seconds(CLOCK_THREAD_CPUTIME_ID), naps: voluntarySwitches())
      if isLast { usleep(300_000) }
      try communicator.awaitAll()
      let used = seconds(CLOCK_THREAD_CPUTIME_ID) - before.seconds
      let naps = voluntarySwitches() - before.naps
      #expect(used < 0.1, "\(used) s of processor time for a wait of 0.3 s")
      // A yield counts as an involuntary switch, a sleep as a voluntary one.
      #expect(isLast || naps > 20, "\(naps) naps in 0.3 s")
    }

    @Test func awaitAllReturnsSoonAfterTheLastRank() throws {
      let communicator = try SharedWorld.communicator()
      try communicator.awaitAll()
      let start = seconds(CLOCK_MONOTONIC)
      for _ in 0..<50 { try communicator.awaitAll() }
      let each = (seconds(CLOCK_MONOTONIC) - start) / 50
      #expect(each < 0.02, "\(each) s for a barrier that all ranks call at once")
    }

    /// Expects that no rank leaves `barrier` before the last has called it.
    ///
    /// All ranks of the test run on one host, and so share a clock.
    private func expectBarrier(
      _ communicator: Communicator, _ barrier: (Communicator) -> () throws(MPIError) -> Void
    ) throws {
      usleep(UInt32(communicator.rank) * 20_000)
      let arrival = seconds(CLOCK_MONOTONIC)
      try barrier(communicator)()
      let departure = seconds(CLOCK_MONOTONIC)
      #expect(try departure >= communicator.allReduce(arrival, .max))
    }

    private func voluntarySwitches() -> Int {
      var usage = rusage()
      let thisThread: __rusage_who_t = 1  // RUSAGE_THREAD, which Glibc's module leaves out
      getrusage(thisThread, &usage)
      return usage.ru_nvcsw
    }

    private func seconds(_ clock: clockid_t) -> Double {
      var time = timespec()
      clock_gettime(clock, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
  }
}
