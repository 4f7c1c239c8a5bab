import Testing

@testable import DataParallel

@Suite struct CoresTests {
  private func assign(
    threads: Int, given: [[Int]], of allowed: [Int], rank: Int = 0, oversubscribe: Bool = false
  ) throws(Cores.Oversubscribed) -> [Int]? {
    let assignment = try Cores.assign(
      threads: threads, given: given, allowed: allowed, localRank: rank,
      oversubscribe: oversubscribe)
    #expect(assignment.threads == threads)
    return assignment.cores
  }

  @Test func threadsShareTheTimeOfTheCores() {
    #expect(Cores.fraction(threads: 2, cores: 2) == 1 && Cores.fraction(threads: 1, cores: 4) == 1)
    #expect(Cores.fraction(threads: 4, cores: 2) == 0.5)
    #expect(Cores.count >= 1)
  }

  @Test func bindingsToSingleCoresAreKept() throws {
    for rank in 0..<2 {
      #expect(try assign(threads: 1, given: [[1], [0]], of: [0, 1], rank: rank) == [1 - rank])
    }
  }

  @Test func aBindingToOneCoreIsWidenedForTwoThreads() throws {
    #expect(try assign(threads: 2, given: [[0]], of: [0, 1]) == [0, 1])
  }

  @Test func withoutABindingRanksTakeCoresInOrder() throws {
    let all = [2, 3, 6, 7, 8, 9]
    for rank in 0..<3 {
      let cores = try assign(threads: 2, given: [all, all, all], of: all, rank: rank)
      #expect(cores == Array(all[2 * rank..<2 * rank + 2]))
    }
  }

  @Test func anExplicitBindingIsKept() throws {
    let given = [[4, 5, 6], [0, 1, 2]]
    #expect(try assign(threads: 2, given: given, of: Array(0..<8), rank: 0) == [4, 5])
    #expect(try assign(threads: 2, given: given, of: Array(0..<8), rank: 1) == [0, 1])
  }

  /// With two ranks on each of two sockets, each rank has cores of its own socket.
  @Test func ranksBoundToOneSocketDivideItsCores() throws {
    let sockets = [[0, 1, 2, 3], [4, 5, 6, 7]]
    let given = [sockets[0], sockets[1], sockets[0], sockets[1]]
    let cores = try (0..<4).map { try assign(threads: 2, given: given, of: Array(0..<8), rank: $0) }
    #expect(cores == [[0, 1], [4, 5], [2, 3], [6, 7]])
  }

  @Test func aBindingWithTooFewCoresIsIgnored() throws {
    let given = [[0], [0], [1], [1]]
    let cores = try (0..<4).map { try assign(threads: 1, given: given, of: Array(0..<4), rank: $0) }
    #expect(cores == [[0], [1], [2], [3]])
  }

  @Test func noTwoThreadsShareACore() throws {
    for ranks in 1...6 {
      for threads in 1...4 where ranks * threads <= 12 {
        for width in [1, 2, 3, 4, 12] {
          let given = (0..<ranks).map { rank in (0..<width).map { (rank * width + $0) % 12 } }
          let all = try (0..<ranks).flatMap {
            try assign(threads: threads, given: given, of: Array(0..<12), rank: $0) ?? []
          }
          if given.joined().count <= 12 { #expect(Set(all).count == ranks * threads, "\(given)") }
        }
      }
    }
  }

  @Test func moreThreadsThanCoresNeedOversubscribe() throws {
    #expect(throws: Cores.Oversubscribed(workers: 6, cores: 2)) {
      _ = try assign(threads: 3, given: [[0], [1]], of: [0, 1])
    }
    #expect(
      try assign(threads: 3, given: [[0], [1]], of: [0, 1], oversubscribe: true) == nil)
  }

  /// The test pins a thread of its own, so that the thread of the test runner keeps its cores.
  @Test func surveyReportsThePinnedCore() throws {
    let pool = try WorkerPool(count: 1)
    defer { pool.stop() }
    try pool.run { _ in
      let before = Cores.survey()
      #expect(Set(before.given).isSubset(of: Set(before.allowed)))
      let first = try #require(before.allowed.first)
      Cores.pin(to: [first])
      let after = Cores.survey()
      #expect(after.given == [first])
      #expect(after.allowed == before.allowed)
    }
  }
}
