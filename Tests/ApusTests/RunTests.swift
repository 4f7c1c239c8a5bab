import Crypto
import Foundation
import Testing

/// Pretraining as a user runs it, on tiny models.
///
/// One at a time: they all want the cores.
@Suite(.serialized) struct RunTests {
  /// A corpus of some thousand bytes with something to learn.
  static let corpus = (0..<400).map {
    "Line \($0): the \($0 % 7) birds sing at \($0 % 5) o'clock.\n"
  }
  .joined()

  static func yaml(_ more: String = "") -> String {
    """
    run: run
    model: { layers: 2, heads: 2, width: 16, context: 16, dropout: 0.1 }
    data: { train: [corpus.txt] }
    batch: { microBatches: 4, sequences: 2 }
    steps: 12
    schedule: { warmup: 2 }
    checkpoint: { every: 3 }
    evaluate: { every: 6, tokens: 256 }
    \(more)
    """
  }

  private func withProgram(_ body: (Program) throws -> Void) throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(RunTests.corpus, to: "corpus.txt")
    try program.write(RunTests.yaml(), to: "run.yaml")
    try body(program)
  }

  private func hash(_ program: Program, _ run: String, step: Int = 12) -> String? {
    let name = "step-" + String(repeating: "0", count: 8 - "\(step)".count) + "\(step)"
    return program.read("\(run)/checkpoints/\(name)/model.safetensors").map {
      SHA256.hash(data: $0).description
    }
  }

  @Test(arguments: ["gpt2", "llama"]) func sameBitsOnAnyRanksAndThreads(family: String) throws {
    try #require(Program.mpirun != nil, "mpirun is missing: make setup installs it")
    try withProgram { program in
      var hashes: Set<String?> = []
      for (ranks, threads) in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 1)] {
        let run = "run-\(ranks)x\(threads)"
        let result = try program.run(
          [
            "pretrain", "run.yaml", "--threads", "\(threads)", "--set", "run=\(run)", "--set",
            "model.family=\(family)",
          ], ranks: ranks)
        #expect(result.code == 0, "\(result.errors)")
        hashes.insert(hash(program, run))
      }
      #expect(hashes.count == 1 && !hashes.contains(nil), "\(hashes)")
    }
  }

  @Test func sameBitsAfterKillsInOtherWorlds() throws {
    try #require(Program.mpirun != nil, "mpirun is missing: make setup installs it")
    try withProgram { program in
      let long = ["pretrain", "run.yaml", "--set", "steps=150"]
      #expect(try program.run(long + ["--set", "run=whole"]).code == 0)
      var kills = 0
      for (round, ranks) in [2, 1, 3, 2, 4].enumerated() {
        let (process, output, errors) = try program.start(
          long + ["--threads", "1", "--set", "run=killed"], ranks: ranks)
        usleep(700_000 + UInt32(round) * 230_000)
        let victims = children(of: process.processIdentifier)
        if let victim = victims.dropFirst(round % max(1, victims.count)).first {
          kill(victim, SIGKILL)
          kills += 1
        }
        let result = Program.finish(process, output, errors)
        if result.code == 0 { break }
      }
      #expect(kills > 0)
      #expect(try program.run(long + ["--set", "run=killed"]).code == 0)
      let whole = hash(program, "whole", step: 150)
      #expect(whole != nil && hash(program, "killed", step: 150) == whole)
    }
  }

  /// The ranks that an `mpirun` started.
  private func children(of parent: Int32) -> [Int32] {
    let path = "/proc/\(parent)/task/\(parent)/children"
    return ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
      .split(separator: " ").compactMap { Int32($0) }
  }

  @Test func aStopIsSavedAndContinued() throws {
    try withProgram { program in
      let long = ["pretrain", "run.yaml", "--threads", "1", "--set", "steps=4000"]
      let (process, output, errors) = try program.start(long)
      usleep(1_500_000)
      kill(process.processIdentifier, SIGUSR1)
      usleep(500_000)
      kill(process.processIdentifier, SIGTERM)
      let result = Program.finish(process, output, errors)
      #expect(result.code == 75, "\(result.errors)")
      #expect(result.errors.contains("asked to stop"))
      let steps = program.names(in: "run/checkpoints").filter { $0.hasPrefix("step-") }
      let last = try #require(steps.last?.dropFirst(5).description).drop { $0 == "0" }
      let next = try program.run(
        ["pretrain", "run.yaml", "--threads", "1", "--set", "steps=\((Int(last) ?? 0) + 3)"])
      #expect(next.code == 0 && next.errors.contains("going on from"), "\(next.errors)")
    }
  }

  @Test func aDamagedCheckpointFallsBackAndSaysWhy() throws {
    try withProgram { program in
      #expect(try program.run(["pretrain", "run.yaml"]).code == 0)
      let expected = hash(program, "run")
      let path = "run/checkpoints/step-00000012/model.safetensors"
      var bytes = try #require(program.read(path))
      bytes[bytes.count / 2] ^= 1
      try program.write(bytes, to: path)
      let result = try program.run(["pretrain", "run.yaml"])
      #expect(result.code == 0)
      #expect(result.errors.contains("set aside") && result.errors.contains("SHA-256"))
      #expect(hash(program, "run") == expected)
      #expect(program.names(in: "run/checkpoints").contains("step-00000012.damaged"))
    }
  }

  @Test func divergenceEndsWithThreeAndKeepsTheLastGoodCheckpoint() throws {
    try withProgram { program in
      #expect(try program.run(["pretrain", "run.yaml", "--set", "steps=6"]).code == 0)
      let good = hash(program, "run", step: 6)
      let result = try program.run(
        [
          "pretrain", "run.yaml", "--set", "steps=60", "--set", "optimizer.learningRate=1e9",
          "--set", "optimizer.clip=0", "--set", "schedule.warmup=0",
        ])
      #expect(result.code == 3, "\(result.errors)")
      #expect(result.errors.contains("diverged at step"))
      #expect(good != nil && hash(program, "run", step: 6) == good)
    }
  }

  @Test func ranksWithOtherConfigurationsAreNamed() throws {
    try withProgram { program in
      let mpirun = try #require(Program.mpirun, "mpirun is missing: make setup installs it")
      try program.write(RunTests.yaml("seed: 2"), to: "other.yaml")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: mpirun)
      let rank = { (file: String) in
        ["-np", "1", Program.executable, "pretrain", file, "--threads", "1", "--oversubscribe"]
      }
      process.arguments = ["--oversubscribe"] + rank("run.yaml") + [":"] + rank("other.yaml")
      process.currentDirectoryURL = URL(fileURLWithPath: program.folder)
      process.environment = ProcessInfo.processInfo.environment.merging(
        ["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"]) { $1 }
      let (output, errors) = (Pipe(), Pipe())
      process.standardOutput = output
      process.standardError = errors
      try process.run()
      let result = Program.finish(process, output, errors)
      #expect(result.code == 2, "\(result.errors)")
      #expect(result.errors.contains("Rank 1 on"), "\(result.errors)")
    }
  }

  @Test func aModelAnswersAndRefuses() throws {
    try withProgram { program in
      #expect(try program.run(["pretrain", "run.yaml"]).code == 0)
      let answer = try program.run(["generate", "run", "Line", "--tokens", "20", "--greedy"])
      #expect(answer.code == 0 && answer.output.hasPrefix("Line"))
      #expect(
        try program.run(["generate", "run", "Line", "--tokens", "20", "--greedy"]).output
          == answer.output)
      let outside = try program.run(["generate", "run", "--ids", "1,300"])
      #expect(outside.code == 2 && outside.errors.contains("300"))
      let long = try program.run(["generate", "run", String(repeating: "a", count: 40)])
      #expect(long.code == 2 && long.errors.contains("context of 16"))
      let other = try program.run(["pretrain", "run.yaml", "--set", "model.width=32"])
      #expect(other.code == 2 && other.errors.contains("n_embd"), "\(other.errors)")
    }
  }
}
