import Foundation
import Testing

/// Runs that are killed, stopped or asked to save, and resumed with the same command.
@Suite(.serialized) struct InterruptionTests {
  private let long = ["pretrain", "run.yaml", "--threads", "1"] + Program.long

  /// Each attempt saves one checkpoint more than the one before, then a rank is killed at a random
  /// moment.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: ["gpt2", "llama"], ["fp32", "bf16"])
  func bitsDoNotDependOnKillsOrTheNumberOfRanks(family: String, precision: String) throws {
    let steps = 60
    let run =
      long + [
        "--set", "steps=\(steps)", "--set", "model.family=\(family)", "--set",
        "precision=\(precision)",
      ]
    try Program.withCorpus { program in
      #expect(try program.run(run + ["--set", "run=whole"]).code == 0)
      // The generator has a fixed seed, so that a failure can be reproduced.
      var draw = SplitMix(state: 2026)
      var kills = 0
      for ranks in [2, 4, 3] {
        let before = program.steps("killed").last ?? 0
        let (process, output, errors) = try program.start(
          run + ["--set", "run=killed"], ranks: ranks)
        // A count of checkpoints, not a time: a fast machine must not finish before it is killed.
        let target = before + 4 * (1 + Int(draw.next() % 3))
        Program.wait(for: process) { (program.steps("killed").last ?? 0) >= target }
        usleep(UInt32(draw.next() % 10_000))
        let victims = Program.children(of: process)
        if !victims.isEmpty {
          kill(victims[Int(draw.next() % UInt64(victims.count))], SIGKILL)
          kills += 1
        }
        let result = Program.finish(process, output, errors)
        if result.code == 0 { break }
        #expect(result.code == 137, "\(result.errors.suffix(2000))")
      }
      #expect(kills >= 2)
      let last = try program.run(run + ["--set", "run=killed"], ranks: 1)
      #expect(last.code == 0, "\(last.errors.suffix(2000))")
      #expect(!last.errors.contains("set aside"))
      let whole = program.hash("whole", step: steps)
      #expect(whole != nil && program.hash("killed", step: steps) == whole)
      #expect(program.metrics("killed") == Array(1...steps))
      // No temporary folder of a killed attempt is left.
      #expect(program.names(in: "killed/checkpoints").allSatisfy { !$0.hasSuffix(".tmp") })
    }
  }

  /// One rank receives the signal; all ranks save the same step and stop.
  ///
  /// After a resume the weights are those of an uninterrupted run.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: [(SIGTERM, nil), (SIGTERM, 3), (SIGHUP, nil)] as [(Int32, Int?)])
  func aRunStoppedByASignalSavesAndResumes(number: Int32, ranks: Int?) throws {
    // The program inherits SIGHUP as ignored where the tests run under nohup.
    let action = signal(SIGHUP, SIG_DFL)
    defer { signal(SIGHUP, action) }
    try Program.withCorpus { program in
      #expect(try program.run(long + ["--set", "run=whole"]).code == 0)
      let (process, output, errors) = try program.start(
        long + ["--set", "run=stopped"], ranks: ranks)
      Program.wait(for: process) { !program.steps("stopped").isEmpty }
      let listener = ranks == nil ? process.processIdentifier : Program.children(of: process).last
      kill(try #require(listener), number)
      let result = Program.finish(process, output, errors)
      #expect(result.code == 75, "\(result.errors.suffix(2000))")
      #expect(result.errors.contains("requested a stop"))
      let step = try #require(program.steps("stopped").last)
      #expect(step < 160 && program.metrics("stopped") == Array(1...step))
      let next = try program.run(long + ["--set", "run=stopped"])
      #expect(next.code == 0 && next.errors.contains("resuming from"), "\(next.errors)")
      #expect(program.hash("stopped", step: 160) == program.hash("whole", step: 160))
      #expect(program.metrics("stopped") == Array(1...160))
    }
  }

  /// `mpirun` forwards SIGUSR2 to all ranks; the launch script turns SIGTERM into SIGUSR2.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: [false, true])
  func aJobStoppedThroughMpirunSavesAndResumes(usesScript: Bool) throws {
    try Program.withCorpus { program in
      #expect(try program.run(long + ["--set", "run=whole"]).code == 0)
      try program.write("localhost slots=2\n", to: "hosts")
      let (process, output, errors) =
        usesScript
        ? try program.start(
          "/usr/bin/env",
          [
            "HOSTFILE=hosts", "APUS=\(Program.executable)",
            "\(ReadmeTests.repository)/cluster/pretrain.sh", "run.yaml", "--oversubscribe", "--set",
            "run=stopped",
          ] + Program.long)
        : try program.start(long + ["--set", "run=stopped"], ranks: 2)
      Program.wait(for: process) { !program.steps("stopped").isEmpty }
      kill(process.processIdentifier, usesScript ? SIGTERM : SIGUSR2)
      let result = Program.finish(process, output, errors)
      #expect(result.code == 75, "\(result.errors.suffix(2000))")
      #expect(result.errors.contains("requested a stop"))
      let step = try #require(program.steps("stopped").last)
      #expect(step < 160 && program.metrics("stopped") == Array(1...step))
      let next = try program.run(long + ["--set", "run=stopped"])
      #expect(next.code == 0 && next.errors.contains("resuming from"), "\(next.errors)")
      #expect(program.hash("stopped", step: 160) == program.hash("whole", step: 160))
    }
  }

  /// A second start in the folder of a live run is refused, and the live run continues unchanged.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: ["model.width=32", "optimizer.name=sgd"])
  func aRefusedStartDoesNotDisturbALiveRun(change: String) throws {
    try Program.withCorpus { program in
      // The live run saves and removes checkpoints many times a second while the other reads them.
      let steps = 500
      let (process, output, errors) = try program.start(long + ["--set", "steps=\(steps)"])
      Program.wait(for: process) { !program.steps("run").isEmpty }
      let holder = program.read("run/checkpoints/ATTEMPT")
      for ranks in [nil, 2] {
        let refused = try program.run(
          ["pretrain", "run.yaml", "--threads", "1", "--set", change], ranks: ranks)
        #expect(refused.code == 2 && refused.errors.contains("another model"), "\(refused.errors)")
      }
      #expect(process.isRunning, "the live run was over before it could be disturbed")
      #expect(holder != nil && program.read("run/checkpoints/ATTEMPT") == holder)
      let result = Program.finish(process, output, errors)
      #expect(result.code == 0, "\(result.errors.suffix(2000))")
      #expect(program.steps("run").last == steps && program.metrics("run") == Array(1...steps))
    }
  }

  /// `mpirun` forwards SIGUSR1 to all ranks.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: [nil, 2])
  func aRunAskedToSaveContinues(ranks: Int?) throws {
    try Program.withCorpus { program in
      let never = ["--set", "checkpoint.every=0", "--set", "checkpoint.keep=9"]
      let (process, output, errors) = try program.start(long + never, ranks: ranks)
      // The file appears shortly before the first step; from then on a request has an effect.
      Program.wait(for: process) { program.read("run/metrics.jsonl") != nil }
      usleep(100_000)
      kill(process.processIdentifier, SIGUSR1)
      let result = Program.finish(process, output, errors)
      #expect(result.code == 0, "\(result.errors.suffix(2000))")
      let steps = program.steps("run")
      #expect(steps.count >= 2 && steps.last == 160, "\(steps)")
    }
  }

  /// Training continues when the reader of the log has exited, as in `apus … 2>&1 | head`.
  @Test func aClosedLogPipeDoesNotEndTheRun() throws {
    try Program.withCorpus { program in
      let (process, output, errors) = try program.start(long)
      _ = errors.fileHandleForReading.availableData
      try errors.fileHandleForReading.close()
      try output.fileHandleForReading.close()
      Program.wait(for: process) { false }
      #expect(process.terminationReason == .exit && process.terminationStatus == 0)
      #expect(program.steps("run").last == 160)
    }
  }
}

/// The SplitMix64 generator (Steele, Lea and Flood 2014).
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
