import Glibc
import TestWorld
import Testing

@testable import DataParallel

@Suite struct WorkerPoolTests {
  private struct Failure: Error, Equatable { let thread: Int }

  @Test func everyThreadRunsEveryBody() throws {
    let pool = try WorkerPool(count: 3)
    defer { pool.stop() }
    let sums = TallySlots(count: 3)
    for round in 1...200 {
      try pool.run { sums[$0] = sums[$0] + Tally(sum: Double(round), count: 1) }
    }
    for thread in 0..<3 { #expect(sums[thread] == Tally(sum: 20_100, count: 200)) }
    #expect(pool.isIdle)
  }

  @Test func startReturnsAtOnceAndWaitReturnsAfterTheBodies() throws {
    let pool = try WorkerPool(count: 2)
    defer { pool.stop() }
    let done = TallySlots(count: 2)
    pool.start {
      usleep(50_000)
      done[$0].count = 1
    }
    #expect(!pool.isIdle)
    try pool.wait()
    #expect(pool.isIdle)
    #expect(done[0].count + done[1].count == 2)
    // A second wait without a start returns at once.
    try pool.wait()
  }

  @Test func waitRethrowsTheErrorOfTheLowestThreadOnce() throws {
    let pool = try WorkerPool(count: 4)
    defer { pool.stop() }
    for _ in 0..<50 {
      #expect(throws: Failure(thread: 1)) {
        try pool.run { if $0 > 0 { throw Failure(thread: $0) } }
      }
      try pool.run { _ in }
    }
  }

  @Test func threadsRunOnTheirCores() throws {
    let allowed = Cores.survey().allowed
    let pool = try WorkerPool(count: 2, cores: [allowed[0], allowed[allowed.count - 1]])
    defer { pool.stop() }
    try pool.run { thread in
      #expect(Cores.survey().given == [thread == 0 ? allowed[0] : allowed[allowed.count - 1]])
    }
  }

  @Test(.enabled(if: !SharedWorld.isUnderMPIRun, "A rank must not fork: `swift test` runs this."))
  func aFailureToStartThreadsIsThrown() async {
    await #expect(processExitsWith: .exitCode(7)) {
      // Stacks of 16 MiB: the limit admits a few, not 100.
      var limit = rlimit()
      limit.rlim_cur = rlim_t(WorkerPoolTests.addressSpace()) + 160 << 20
      limit.rlim_max = limit.rlim_cur
      setrlimit(__rlimit_resource_t(9), &limit)  // RLIMIT_AS
      do throws(WorkerPool.ThreadStartFailure) {
        _ = try WorkerPool(count: 100)
      } catch {
        exit(error.wanted == 100 && error.started < 100 && "\(error)".contains("of 100") ? 7 : 1)
      }
    }
  }

  /// The address space in use, in bytes: the first figure of /proc/self/statm is in pages.
  private static func addressSpace() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    fgets(&line, 127, file)
    let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    let pages = text.split(separator: " ").first.flatMap { Int($0) } ?? 0
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }
}
