import Configuration
import Testing

@testable import Training

/// The choice of the ranks that recompute a gradient, and the verdict when two differ.
@Suite struct AuditTests {
  private func hosts(_ text: String) -> [String] { text.map(String.init) }

  /// Each rank audits one other, on another host where that is possible.
  @Test(arguments: ["a", "ab", "aa", "abc", "aabb", "abab", "aabbcc", "aaab", "aabc", "abcabcabc"])
  func everyRankIsAuditedByAnother(names: String) {
    let hosts = hosts(names)
    let pairs = AuditPairs(hosts: hosts)
    #expect(Set(pairs.auditors) == Set(hosts.indices))
    let widest = hosts.map { host in hosts.count { $0 == host } }.max() ?? 0
    for (rank, auditor) in pairs.auditors.enumerated() {
      #expect(pairs.audited[auditor] == rank)
      #expect(hosts.count == 1 || auditor != rank)
      if 2 * widest <= hosts.count { #expect(hosts[auditor] != hosts[rank]) }
      let judge = pairs.judges[rank]
      #expect((judge != nil) == (hosts.count > 2))
      #expect(judge != rank && judge != auditor)
    }
    if names == "aabbcc" {
      let judges = zip(pairs.judges, pairs.auditors).enumerated()
      #expect(
        judges.allSatisfy { rank, pair in
          pair.0.map { hosts[$0] != hosts[rank] && hosts[$0] != hosts[pair.1] } ?? false
        })
    }
  }

  /// The checksums of rank 0, of its auditor, rank 1, and of the rank that decides, 2.
  private func dispute(_ checksums: [UInt64]...) -> AuditDispute {
    AuditDispute(
      witnesses: checksums.enumerated().map { .init(rank: $0.offset, checksums: $0.element) })
  }

  @Test(
    arguments: [
      // A machine that is always wrong, found by a third.
      ([[7, 7], [1, 1], [1]], [0], true),
      ([[1, 1], [7, 7], [1]], [1], true),
      ([[7, 8], [1, 1], [1]], [0], true),
      // One wrong bit, which does not come again.
      ([[7, 1], [1, 1], [1]], [0], true),
      ([[7, 1], [1, 1]], [0], true),
      ([[1, 1], [7, 1]], [1], true),
      // A rank that contradicts itself.
      ([[7, 8], [1, 1]], [0], true),
      // Two that insist.
      ([[7, 7], [1, 1]], [0, 1], false),
      ([[7, 7], [1, 1], [3]], [0, 1, 2], false),
      // A single rank.
      ([[7, 1, 1]], [0], true),
    ] as [([[UInt64]], [Int], Bool)])
  func theWrongRankIsNamed(checksums: [[UInt64]], suspects: [Int], isDecided: Bool) {
    let dispute = AuditDispute(
      witnesses: checksums.enumerated().map { .init(rank: $0.offset, checksums: $0.element) })
    #expect(dispute.suspects == suspects)
    #expect(dispute.isDecided == isDecided)
  }

  /// As many audits as a rank has leaves audit each of them, from one that the seed chooses.
  @Test func theLeavesOfARankTakeTurns() {
    var starts: Set<Int?> = []
    for seed in 1...24 as ClosedRange<UInt64> {
      let leaves = (7..<15).map {
        GradientAudit.leaf(of: 16..<24, rank: 2, audit: $0, seed: seed)
      }
      #expect(Set(leaves) == Set(16..<24))
      starts.insert(leaves[0])
    }
    #expect(starts.count > 4)
    #expect(GradientAudit.leaf(of: 16..<16, rank: 0, audit: 1, seed: 1) == nil)
  }

  @Test func gradientsThatAreAddedInFastModeCannotBeAudited() throws {
    let refused = #expect(throws: ConfigurationError.self) {
      try plan(["audit.every=3", "reduction=fast"])
    }
    #expect("\(try #require(refused))".contains("audit.every"))
    #expect(try plan(["audit.every=3"]).audit.every == 3)
    let (plain, audited) = (try plan([]), try plan(["audit.every=3"]))
    #expect(
      audited.memoryNeed(ranks: 2, workers: 1).bytes[.gradients]
        == plain.memoryNeed(ranks: 2, workers: 1).bytes[.gradients].map {
          $0 + 4 * plain.counts.trained
        })
  }

  private func core(_ core: Int64, _ speed: Int64 = 100, _ isRight: Bool = true) -> CoreResult {
    CoreResult(core: core, gigaflops: speed, isRight: isRight)
  }

  /// A core that is wrong is its host's fault; where all are wrong, it is the library's.
  @Test func theBurnInNamesWrongAndSlowCores() {
    let hosts = ["a", "b"]
    let sound = [core(0), core(1)]
    #expect(BurnIn.wrong(in: [sound, sound], hosts: hosts) == nil)
    #expect(BurnIn.slow(in: [sound, sound], hosts: hosts) == [])
    #expect(
      BurnIn.wrong(in: [sound, [core(2), core(3, 100, false)]], hosts: hosts)
        == WrongProducts(rank: 1, host: "b", cores: [3], isLibrary: false))
    #expect(
      BurnIn.wrong(in: [[core(0, 9, false), core(1, 9, false)], sound], hosts: hosts)
        == WrongProducts(rank: 0, host: "a", cores: [0, 1], isLibrary: true))
    // The only core of a rank may be at fault itself.
    #expect(
      BurnIn.wrong(in: [[core(4, 9, false)], sound], hosts: hosts)
        == WrongProducts(rank: 0, host: "a", cores: [4], isLibrary: false))
    let slow = BurnIn.slow(in: [sound, [core(2), core(3, 74)]], hosts: hosts)
    #expect(slow.count == 1 && slow[0].hasPrefix("core 3 of b computes 74 GFLOP/s"))
    #expect(BurnIn.slow(in: [sound, [core(2), core(3, 76)]], hosts: hosts) == [])
  }
}
