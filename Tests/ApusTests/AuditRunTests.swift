import Foundation
import Testing

/// Runs whose ranks recompute each other's gradients.
@Suite(.serialized) struct AuditRunTests {
  private let steps = 40
  private var run: [String] {
    [
      "pretrain", "run.yaml", "--threads", "1", "--set", "steps=\(steps)", "--set",
      "evaluate.every=0", "--set", "checkpoint.every=3", "--set", "checkpoint.keep=9",
    ]
  }
  private let audited = ["--set", "run=faulty", "--set", "audit.every=10"]
  private let host = ProcessInfo.processInfo.hostName

  private func text(_ result: Program.Result) -> Comment { "\(result.errors.suffix(2000))" }

  /// A rank whose gradients are wrong from some step on is found at the next audit; the checkpoints
  /// since the audit before are set aside, and the run ends with the bits of one without faults.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: [1, 2, 3])
  func wrongGradientsAreFoundByTheNextAudit(ranks: Int) throws {
    try Program.withCorpus { program in
      #expect(try program.run(run + ["--set", "run=whole"]).code == 0)
      let broken = max(0, ranks - 2)
      var faulty = program
      // Every gradient of steps 11 to 20, and the second computation of step 20. Checkpoints of these
      // steps are published during the delay.
      faulty.environment["APUS_FAULT"] =
        (11...20).map {
          "flip=\($0):5@rank=\(broken),step=\($0),phase=backward,times=100000"
        }.joined(separator: ";") + "; delay=3@rank=0,step=18"
      let result = try faulty.run(run + audited, ranks: ranks)
      let isSilent = ranks == 1
      if isSilent {
        // A single rank repeats its own mistake.
        #expect(result.code == 0, text(result))
        return
      }
      #expect(result.code == 75, text(result))
      let names =
        ranks == 2 ? "rank 0 on \(host), rank 1 on \(host)" : "rank \(broken) on \(host)"
      #expect(result.errors.contains("apus: \(names) computed "), text(result))
      #expect(result.errors.contains(" in step 20"), text(result))
      #expect(result.errors.contains("checkpoints after step 10, up to which "), text(result))
      #expect(program.steps("faulty").last.map { $0 <= 10 } ?? false, "\(program.steps("faulty"))")
      let next = try program.run(run + audited, ranks: ranks)
      #expect(next.code == 0, text(next))
      #expect(program.hash("faulty", step: steps) == program.hash("whole", step: steps))
    }
  }

  /// One wrong bit, in the audited gradient: the rank is named also where only two can tell.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: [1, 2])
  func oneWrongBitIsNamed(ranks: Int) throws {
    try Program.withCorpus { program in
      var faulty = program
      // With as many micro-batches as ranks, each gradient of a step is audited.
      let few = ["--set", "batch.microBatches=\(ranks)", "--set", "audit.every=1"]
      faulty.environment["APUS_FAULT"] = "flip=9:2@rank=0,step=7,phase=backward"
      let result = try faulty.run(run + audited + few, ranks: ranks)
      #expect(result.code == 75, text(result))
      #expect(
        result.errors.contains("apus: rank 0 on \(host) computed a wrong gradient in step 7"),
        text(result))
    }
  }

  /// Infinite gradients of one rank end the run as those of a defective machine, also between two
  /// audits; those of all ranks as a divergence.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: [true, false])
  func aDivergenceIsAudited(isOfOneRank: Bool) throws {
    try Program.withCorpus { program in
      var faulty = program
      // 2⁶⁴ to 2¹²⁸ times as large.
      faulty.environment["APUS_FAULT"] = (isOfOneRank ? [1] : [0, 1, 2]).map {
        "flip=0:30@rank=\($0),step=13,phase=backward,times=100000"
      }.joined(separator: ";")
      let result = try faulty.run(run + audited + ["--set", "optimizer.clip=0"], ranks: 3)
      #expect(result.code == (isOfOneRank ? 75 : 3), text(result))
      let named = result.errors.contains(
        "apus: rank 1 on \(host) computed a wrong gradient in step 1")
      #expect(named == isOfOneRank, text(result))
    }
  }

  /// Audits and the burn-in raise no alarm and change no bit, whatever the ranks and threads.
  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func auditsChangeNoBit() throws {
    try Program.withCorpus { program in
      #expect(try program.run(run + ["--set", "run=whole"]).code == 0)
      for (ranks, threads) in [(1, 2), (2, 1), (3, 1)] {
        let result = try program.run(
          run + [
            "--set", "run=audited-\(ranks)", "--set", "audit.every=1", "--set",
            "audit.burnIn=0.05", "--threads", "\(threads)",
          ], ranks: ranks)
        #expect(result.code == 0, text(result))
        #expect(
          program.hash("audited-\(ranks)", step: steps) == program.hash("whole", step: steps))
      }
    }
  }
}
