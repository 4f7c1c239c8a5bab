import Testing

@testable import Training

@Suite struct StallDetectorTests {
  private func sign(
    _ rank: Int, beat: Int = 0, phase: RankActivity.Phase = .gradient, step: Int = 17,
    ticks: Int = 0, collectives: Int, in function: String? = nil, isSaving: Bool = false
  ) -> RankSign {
    RankSign(
      rank: rank, host: "node\(rank)", process: 100, beat: beat, phase: phase.rawValue, step: step,
      ticks: ticks, collectives: collectives, function: function, isSaving: isSaving)
  }

  /// Watches for `seconds`, and returns the first finding and its second.
  private func watch(
    _ detector: inout StallDetector, from start: Int = 0, for seconds: Int,
    own: (Int) -> RankSign, others: (Int) -> [RankSign]
  ) -> (finding: StallDetector.Finding, second: Int)? {
    for second in start...start + seconds {
      let finding = detector.observe(own(second), others(second), at: Double(second))
      if let finding { return (finding, second) }
    }
    return nil
  }

  private func waiting(_ second: Int) -> RankSign {
    sign(0, beat: second, collectives: 50, in: "MPI_Allgather")
  }

  @Test func aRankWithoutSignsIsNamedAfterTheLimit() throws {
    var detector = StallDetector(limit: 30)
    let found = try #require(
      watch(&detector, for: 100, own: waiting) { second in
        [
          sign(1, beat: second, collectives: 50, in: "MPI_Allgather"),
          sign(2, beat: 3, collectives: 49),
        ]
      })
    guard case .silent(let silent, let seconds) = found.finding else {
      Issue.record("\(found)")
      return
    }
    #expect(silent.map(\.rank) == [2] && found.second == 35 && seconds == 30)
    let sentence = Watchdog.sentence(found.finding, waiting(30))
    #expect(
      sentence
        == "rank 2 on node2, last seen in the forward and backward passes of step 17, has shown "
        + "no sign of life for 30 seconds, and rank 0 on node0 waits in MPI_Allgather of step 17")
  }

  /// A save can keep the file system from taking signs, and a file system that takes none shows none.
  @Test func aSlowFileSystemIsNoFrozenRank() throws {
    var detector = StallDetector(limit: 30)
    let saving = [sign(1, beat: 3, collectives: 49, isSaving: true)]
    let notice = try #require(watch(&detector, for: 500, own: waiting) { _ in saving })
    #expect(notice.finding == .waiting(saving[0], seconds: 120))
    let found = try #require(
      watch(&detector, from: 121, for: 500, own: waiting) { _ in saving })
    #expect(found.finding == .silent(saving, seconds: 120) && found.second == 125)

    var blind = StallDetector(limit: 30)
    #expect(watch(&blind, for: 500, own: waiting) { _ in [] } == nil)
    // Signs that come back are judged from then on.
    let frozen = [sign(1, beat: 3, collectives: 49)]
    let again = try #require(watch(&blind, from: 501, for: 9, own: waiting) { _ in frozen })
    #expect(again.finding == .waiting(frozen[0], seconds: 501))
    let silent = try #require(watch(&blind, from: 502, for: 99, own: waiting) { _ in frozen })
    #expect(silent.finding == .silent(frozen, seconds: 30) && silent.second == 531)
  }

  /// The lowest rank that lives speaks; the next one only if it does not.
  @Test func oneRankSpeaks() throws {
    var detector = StallDetector(limit: 30)
    let own = { sign(1, beat: $0, collectives: 50, in: "MPI_Allgather") }
    let found = try #require(
      watch(&detector, for: 100, own: own) { second in
        [waiting(second), sign(2, beat: 3, collectives: 49)]
      })
    #expect(found.second == 40)
  }

  @Test func aRankThatComputesIsWaitedFor() throws {
    var detector = StallDetector(limit: 30)
    let others = { (second: Int) in
      [sign(1, beat: second, phase: .evaluation, collectives: 49)]
    }
    let first = try #require(watch(&detector, for: 1000, own: waiting, others: others))
    #expect(first.second == 120)
    guard case .waiting(let other, 120) = first.finding else {
      Issue.record("\(first)")
      return
    }
    #expect(other.rank == 1)
    #expect(
      Watchdog.sentence(first.finding, waiting(0)) == "rank 0 on node0 has waited 120 seconds in "
        + "MPI_Allgather for rank 1 on node1, which is in the evaluation of step 17.")
    // The next notice is after four times as long.
    let next = try #require(
      watch(&detector, from: 121, for: 1000, own: waiting, others: others))
    #expect(next.second == 480)
  }

  @Test func aNetworkThatDeliversNothingIsFound() throws {
    var detector = StallDetector(limit: 30)
    let found = try #require(
      watch(&detector, for: 1000, own: waiting) { second in
        [sign(1, beat: second, collectives: 50, in: "MPI_Allgather")]
      })
    #expect(found.finding == .network(seconds: 120) && found.second == 120)
    #expect(
      Watchdog.sentence(found.finding, waiting(0)).hasSuffix("check the network between the hosts"))
  }

  /// While a rank waits, the collectives of the others complete: the network is slow, not cut.
  @Test func aNetworkThatDeliversIsNoStall() {
    var detector = StallDetector(limit: 30)
    let found = watch(&detector, for: 1000, own: waiting) { second in
      [sign(1, beat: second, collectives: 50 + second / 60, in: "MPI_Allgather")]
    }
    #expect(found == nil)
  }

  @Test func progressAndShortWaitsAreNoStalls() {
    var detector = StallDetector(limit: 30)
    let found = watch(
      &detector, for: 1000,
      own: { sign(0, beat: $0, ticks: $0 / 25, collectives: $0 / 25, in: "MPI_Allgather") },
      others: { _ in [sign(1, beat: 1, collectives: 0)] })
    #expect(found == nil)
  }

  /// After a process was frozen itself, such as by Slurm, it knows nothing about the others.
  @Test func aFrozenWatcherBeginsAnew() throws {
    var detector = StallDetector(limit: 30)
    let others = { (second: Int) in [sign(1, beat: 3, collectives: 49)] }
    #expect(watch(&detector, for: 20, own: waiting, others: others) == nil)
    let found = try #require(
      watch(&detector, from: 500, for: 100, own: waiting, others: others))
    #expect(found.second == 535)
  }

  /// Reading a large corpus takes as long as it takes.
  @Test func thePreparationOfTheFirstStepHasNoLimit() throws {
    for (step, isEnded) in [(0, false), (1, true)] {
      var detector = StallDetector(limit: 30)
      let found = watch(
        &detector, for: 30_000,
        own: { sign(0, beat: $0, phase: .boundary, step: step, collectives: 1) },
        others: { _ in [] })
      #expect((found != nil) == isEnded)
    }
  }

  /// A step may take twenty times as long as the longest so far, the first one six hours.
  @Test func aRankThatIsStuckInItsOwnWorkIsFound() throws {
    var detector = StallDetector(limit: 30)
    let first = try #require(
      watch(&detector, for: 30000, own: { sign(0, beat: $0, collectives: 1) }, others: { _ in [] }))
    #expect(first.finding == .stuck(seconds: 21600))
    var later = StallDetector(limit: 30)
    #expect(
      watch(
        &later, for: 400, own: { sign(0, beat: $0, step: $0 / 40, ticks: $0 / 40, collectives: 1) },
        others: { _ in [] }) == nil)
    let found = try #require(
      watch(
        &later, from: 401, for: 5000,
        own: { sign(0, beat: $0, step: 10, ticks: 10, collectives: 1) },
        others: { _ in [] }))
    #expect(found.finding == .stuck(seconds: 3600))
    #expect(
      Watchdog.sentence(found.finding, sign(0, step: 10, collectives: 1))
        == "rank 0 on node0 has made no progress in the forward and backward passes of step 10 for "
        + "3600 seconds")
  }

  @Test func signsSurviveTheirFileAndHostileOnesDoNot() {
    let long = sign(1, beat: 123_456, ticks: 99, collectives: 7, in: "MPI_Allgatherv")
    #expect(RankSign(long.bytes) == long && long.bytes.count == 512)
    #expect(RankSign(Array("{}".utf8)) == nil && RankSign([]) == nil && RankSign([0xFF]) == nil)
    #expect(RankSign(Array(long.bytes.prefix(40))) == nil)
  }
}
