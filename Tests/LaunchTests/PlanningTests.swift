import Foundation
import TestFolders
import Testing

@testable import Launch

@Suite struct PlanningTests {
  /// Five minutes for a checkpoint and a failure every day: √(2 · 300 · 86,400) = 7,200 s; Daly's
  /// value worked out by hand.
  @Test func intervalsAreThoseOfYoungAndDaly() {
    let young = CheckpointInterval.young(cost: 300, betweenFailures: 86_400)
    #expect(abs(young - 7200) < 1e-9)
    let daly = CheckpointInterval.daly(cost: 300, betweenFailures: 86_400)
    let ratio = 300.0 / 172_800
    #expect(abs(daly - (7200 * (1 + ratio.squareRoot() / 3 + ratio / 9) - 300)) < 1e-9)
    #expect(abs(daly - 7001.39) < 0.01)
    // A checkpoint that takes as long as two failures are apart.
    #expect(CheckpointInterval.daly(cost: 200, betweenFailures: 100) == 100)
    #expect(CheckpointInterval.daly(cost: 0, betweenFailures: 100) == 0)
  }

  /// Daly's interval loses less than half or twice of it, and than Young's.
  @Test(arguments: [(1.0, 3600.0), (30, 3600), (300, 86_400), (0.01, 1e6)])
  func theIntervalIsAboutTheBest(cost: Double, betweenFailures: Double) {
    let best = CheckpointInterval.daly(cost: cost, betweenFailures: betweenFailures)
    let loss = {
      CheckpointInterval.loss(interval: $0, cost: cost, betweenFailures: betweenFailures)
    }
    #expect(loss(best) < loss(best / 2) && loss(best) < loss(2 * best))
  }

  /// 100 million elements, a second of passes of which half a second overlaps.
  private var work: StepWork {
    StepWork(
      elements: 100_000_000, buckets: 100, tokens: 32_768, secondsCompute: 1,
      secondsOverlapped: 0.5, secondsUpdate: 0.08)
  }

  private func cluster(_ hosts: Int, ranks: Int = 1, gigabits: Double = 10) -> PlannedCluster {
    PlannedCluster(
      hosts: hosts, ranksPerHost: ranks, threads: 8, networkBandwidth: gigabits * 1e9 / 8,
      latency: 0)
  }

  @Test func oneRankSendsNothing() {
    let step = StepForecast(work, on: cluster(1))
    #expect(step.bytesPerRank == 0 && step.bytesOnWirePerHost == 0 && step.secondsExposed == 0)
    #expect(step.tokensToHide == 0 && step.seconds == 1.08)
  }

  /// 2(N−1)/N of 400 MB; the tree's parts and bf16 change the reduce-scatter only.
  @Test(arguments: [(2, 400e6), (3, 2 * 400e6 * 2 / 3), (4, 600e6), (16, 750e6)])
  func bytesAreThoseOfARing(hosts: Int, bytes: Double) {
    let step = StepForecast(work, on: cluster(hosts))
    #expect(abs(step.bytesPerRank - bytes) < 1 && step.leastBytesPerRank == step.bytesPerRank)
    #expect(step.bytesOnWirePerHost == step.bytesPerRank)
    var other = work
    (other.parts, other.partsPerHost) = (2, 2)
    #expect(abs(StepForecast(other, on: cluster(hosts)).bytesPerRank - 1.5 * bytes) < 1)
    other.parts = 1
    other.gradientBytes = 2
    #expect(abs(StepForecast(other, on: cluster(hosts)).bytesPerRank - 0.75 * bytes) < 1)
  }

  /// A host sends the bytes of one rank, however many it has; small gradients and those in bf16 are
  /// sent by all ranks.
  @Test func aHostSendsSumsOfItsRanks() {
    let step = StepForecast(work, on: cluster(2, ranks: 2))
    #expect(abs(step.bytesPerRank - 600e6) < 1)
    #expect(abs(step.bytesOnWirePerHost - 400e6) < 1)
    #expect(abs(StepForecast(work, on: cluster(4, ranks: 8)).bytesOnWirePerHost - 600e6) < 1)
    var other = work
    other.partsPerHost = 2
    #expect(abs(StepForecast(other, on: cluster(2, ranks: 2)).bytesOnWirePerHost - 600e6) < 1)
    other.gradientBytes = 2
    #expect(abs(StepForecast(other, on: cluster(2, ranks: 2)).bytesOnWirePerHost - 400e6) < 1)
    var flat = work
    flat.hasTwoLevels = false
    #expect(abs(StepForecast(flat, on: cluster(2, ranks: 2)).bytesOnWirePerHost - 800e6) < 1)
  }

  /// 400 MB of weights on four ranks on two hosts, each rank a worker, both hosts one, or one rank two.
  @Test(
    arguments: [
      (4, 50, 12e6, 16e6), (4, 500, 1.2e6, 1.6e6),
      // Within a host 2·½·400 MB per step; between hosts 2·½·200 MB per round.
      (2, 50, 404e6, 8e6), (8, 50, 12e6, 16e6), (1, 50, 600e6, 400e6),
    ] as [(Int, Int, Double, Double)])
  func workersAgreeOncePerRound(workers: Int, steps: Int, sent: Double, wire: Double) {
    var work = work
    work.rounds = .init(workers: workers, steps: steps)
    let step = StepForecast(work, on: cluster(2, ranks: 2))
    #expect(abs(step.bytesPerRank - sent) < 1 && abs(step.bytesOnWirePerHost - wire) < 1)
    #expect(step.leastBytesPerRank == step.bytesPerRank)
    // Every worker updates all weights.
    #expect(abs(step.secondsUpdate - 0.08 * Double(workers) / 2) < 1e-9)
    if workers > 1 {
      #expect(
        step.secondsExposed < StepForecast(self.work, on: cluster(2, ranks: 2)).secondsExposed)
    }
  }

  /// The gather is never hidden, the reduce-scatter as far as the backward pass lasts.
  @Test func theExchangeIsHiddenBehindTheBackwardPass() {
    let fast = StepForecast(work, on: cluster(2, gigabits: 16))
    // 200 MB at 2 GB/s, each way; a bucket of a hundred is waited for, and naps of 0.1 ms.
    #expect(abs(fast.secondsExposed - (0.1 + 0.11 / 100)) < 1e-9)
    let slow = StepForecast(work, on: cluster(2, gigabits: 1.6))
    #expect(abs(slow.secondsExposed - (1.01 - 0.5 + 1)) < 1e-9)
    #expect(slow.efficiency < fast.efficiency)
    // 32,768 tokens take a second on each host; two seconds of exchange take twice as many.
    #expect(abs(slow.tokensToHide - 2.01 * 16_384) < 1)
    #expect(fast.secondsUpdate == 0.04)
  }

  @Test func theRunHasTheEnergyAndTheCheckpointsOfItsHosts() {
    let run = RunForecast(
      StepForecast(work, on: cluster(2)), seconds: 100, wattsPerHost: 96, checkpointBytes: 1.2e9)
    #expect(run.joules == 19_200)
    #expect(run.secondsPerCheckpoint == 2.4)
    #expect(abs(run.betweenFailures - 3600 * 54 * 24 * 2048 / 419 / 2) < 1e-3)
    #expect(run.stepsBetweenCheckpoints > 1000)
    #expect(run.loss(every: run.stepsBetweenCheckpoints) < run.loss(every: 100))
  }

  @Test func linkSpeedsAreThoseOfInterfacesThatAreUp() throws {
    let folder = try TemporaryFolder()
    func write(_ name: String, _ state: String, _ speed: String) throws {
      try FileManager.default.createDirectory(
        atPath: folder(name), withIntermediateDirectories: true)
      try folder.write(Array("\(state)\n".utf8), to: "\(name)/operstate")
      try folder.write(Array("\(speed)\n".utf8), to: "\(name)/speed")
    }
    #expect(LinkSpeed.fastest(in: folder.path) == nil)
    try write("lo", "up", "100000")
    try write("eth0", "up", "-1")
    try write("eth1", "down", "40000")
    #expect(LinkSpeed.fastest(in: folder.path) == nil)
    try write("eth2", "up", "1000")
    try write("eth3", "up", "10000")
    #expect(LinkSpeed.fastest(in: folder.path) == 1.25e9)
    #expect(LinkSpeed.fastest(in: "/nowhere") == nil)
  }
}
