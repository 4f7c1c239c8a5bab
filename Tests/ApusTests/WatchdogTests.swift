import Foundation
import Testing

/// Ranks that freeze, and faults that are injected at exact places.
@Suite(.serialized) struct WatchdogTests {
  private let steps = 60
  private var run: [String] {
    [
      "pretrain", "run.yaml", "--threads", "1", "--set", "steps=\(steps)", "--set",
      "evaluate.every=50",
    ]
  }
  private let limited = ["--set", "run=faulty", "--set", "watchdog.limit=3"]

  private func text(_ result: Program.Result) -> Comment { "\(result.errors.suffix(2000))" }

  /// Open MPI notices a killed rank, and never a frozen one.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: ["stop@rank=1,step=9", "stop@rank=0,step=9,phase=exchange"])
  func aFrozenRankIsNamedAndTheRunResumes(fault: String) throws {
    try Program.withCorpus { program in
      #expect(try program.run(run + ["--set", "run=whole"]).code == 0)
      var faulty = program
      faulty.environment["APUS_FAULT"] = fault
      let start = Date()
      let result = try faulty.run(run + limited, ranks: 3)
      #expect(result.code == 75 && Date().timeIntervalSince(start) < 25, text(result))
      let rank = fault.contains("rank=1") ? 1 : 0
      #expect(result.errors.contains("apus: rank \(rank) on "), text(result))
      #expect(
        result.errors.contains(", has shown no sign of life for ")
          && result.errors.contains(" waits in MPI_")
          && result.errors.contains(" of step 9; the run"),
        text(result))
      let next = try program.run(run + limited, ranks: 2)
      #expect(next.code == 0, text(next))
      #expect(program.hash("faulty", step: steps) == program.hash("whole", step: steps))
      #expect(!program.names(in: "faulty").contains("signs"))
    }
  }

  /// The start is watched too, from the moment at which MPI starts the ranks.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: [
      ("join", "rank number 1 of ", " is stopped, and has not joined the others within "),
      ("start", "rank 0 on ", " seconds in MPI_Allgather before the run began, so"),
      ("preparation", "rank 1 on ", ", last seen in the time before its first step, has shown no"),
    ])
  func aRankThatFreezesInTheStartIsNamed(phase: String, beginning: String, sentence: String) throws
  {
    try Program.withCorpus { program in
      var faulty = program
      faulty.environment["APUS_FAULT"] = "stop@rank=1,phase=\(phase)"
      faulty.environment["APUS_START_LIMIT"] = "3"
      let start = Date()
      let result = try faulty.run(run + limited, ranks: 2)
      #expect(result.code == 75 && Date().timeIntervalSince(start) < 20, text(result))
      #expect(result.errors.contains("apus: \(beginning)"), text(result))
      #expect(result.errors.contains(sentence), text(result))
      let next = try program.run(run + limited + ["--set", "steps=2"], ranks: 2)
      #expect(next.code == 0 && !program.names(in: "faulty").contains("signs"), text(next))
    }
  }

  /// A run that is refused leaves no folder of signs behind.
  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func aRefusedStartLeavesNothing() throws {
    try Program.withCorpus { program in
      let result = try program.run(run + limited + ["--resume", "none"], ranks: 2)
      #expect(result.code == 2 && !program.names(in: ".").contains("faulty"), text(result))
    }
  }

  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func aShortFreezeIsNoFault() throws {
    try Program.withCorpus { program in
      var faulty = program
      faulty.environment["APUS_FAULT"] =
        "delay=2@rank=1,step=9; delay=2@rank=0,step=12,phase=optimizer"
      let result = try faulty.run(run + limited, ranks: 2)
      #expect(result.code == 0, text(result))
      #expect(!result.errors.contains("no sign of life"))
      #expect(!program.names(in: "faulty").contains("signs"))
    }
  }

  /// A bit of a weight that one rank holds is inverted after the update: the ranks compare their
  /// weights with the next step, also with the last save.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: [(3, 9), (2, 9), (3, 60)])
  func aFlippedBitOfTheWeightsIsFound(ranks: Int, step: Int) throws {
    try Program.withCorpus { program in
      #expect(try program.run(run + ["--set", "run=whole"]).code == 0)
      var faulty = program
      faulty.environment["APUS_FAULT"] = "flip=7001:3@rank=1,step=\(step),phase=optimizer"
      let result = try faulty.run(run + limited, ranks: ranks)
      #expect(result.code == 75, text(result))
      let host = ProcessInfo.processInfo.hostName
      let names = ranks == 3 ? "rank 1 on \(host)" : "rank 0 on \(host), rank 1 on \(host)"
      let computed = min(step + 1, steps)
      #expect(
        result.errors.contains("apus: \(names) computed at step \(computed) with "), text(result))
      #expect((program.steps("faulty").last ?? 0) < step)
      let next = try program.run(run + limited, ranks: ranks)
      #expect(next.code == 0, text(next))
      #expect(program.hash("faulty", step: steps) == program.hash("whole", step: steps))
    }
  }

  @Test func aFaultThatCannotBeReadIsRefused() throws {
    try Program.withCorpus { program in
      var faulty = program
      faulty.environment["APUS_FAULT"] = "kill@phase=lunch"
      let result = try faulty.run(run)
      #expect(result.code == 2, text(result))
      #expect(result.errors.contains("APUS_FAULT names no phase of"), text(result))
    }
  }
}
