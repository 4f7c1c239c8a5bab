import Glibc
import MPI
import TestWorld
import Testing

extension MPITests {
  @Suite struct BarrierTests {
    @Test func noRankLeavesABarrierBeforeTheLastHasCome() throws {
      let group = try SharedWorld.group()
      try expectMeeting(group, Communicator.barrier)
      try expectMeeting(group, Communicator.awaitAll)
      #expect(group.traffic.calls == 2 + 2 * 1)
    }

    @Test func awaitingSleeps() throws {
      let group = try SharedWorld.group()
      try group.barrier()
      let isLast = group.rank == group.size - 1
      let before = (seconds: seconds(CLOCK_THREAD_CPUTIME_ID), naps: voluntarySwitches())
      if isLast { usleep(300_000) }
      try group.awaitAll()
      let used = seconds(CLOCK_THREAD_CPUTIME_ID) - before.seconds
      let naps = voluntarySwitches() - before.naps
      #expect(used < 0.1, "\(used) s of processor time for a wait of 0.3 s")
      // Yielding a core counts as losing it: only a thread that sleeps gives it up by itself.
      #expect(isLast || naps > 20, "\(naps) naps in 0.3 s")
    }

    @Test func awaitingEndsSoonAfterTheLast() throws {
      let group = try SharedWorld.group()
      try group.awaitAll()
      let start = seconds(CLOCK_MONOTONIC)
      for _ in 0..<50 { try group.awaitAll() }
      let each = (seconds(CLOCK_MONOTONIC) - start) / 50
      #expect(each < 0.02, "\(each) s for a barrier to which all come at once")
    }

    /// All ranks of the test share a host, and so a clock.
    private func expectMeeting(
      _ group: Communicator, _ meet: (Communicator) -> () throws(MPIError) -> Void
    ) throws {
      usleep(UInt32(group.rank) * 20_000)
      let arrival = seconds(CLOCK_MONOTONIC)
      try meet(group)()
      let departure = seconds(CLOCK_MONOTONIC)
      #expect(try departure >= group.allReduce(arrival, .max))
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
