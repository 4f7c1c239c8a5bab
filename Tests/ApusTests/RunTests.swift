import Foundation
import Testing

/// `apus pretrain` on tiny models.
///
/// The tests run one at a time, since each uses all cores.
@Suite(.serialized) struct RunTests {
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: ["gpt2", "llama"], ["fp32", "bf16"])
  func bitsDoNotDependOnRanksOrThreads(family: String, precision: String) throws {
    let worlds = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 1)]
    // 64 rows: in bf16, 48 or fewer use the skinny GEMM kernels, which a training step does not.
    let whole = [
      "--set", "model.family=\(family)", "--set", "precision=\(precision)", "--set",
      "batch.sequences=4",
    ]
    try expectSameBits(in: worlds, whole)
    // With one micro-batch, all threads form one team.
    let one = whole + ["--set", "batch.microBatches=1", "--set", "model.width=256"]
    try expectSameBits(in: [(1, 1), (1, 2), (1, 3)], one)
    // Recomputed activations have the original bits.
    try expectSameBits(
      in: [(1, 1), (2, 1)], whole + ["--set", "model.dropout=0.1"],
      alternating: [[], ["--set", "recompute=layer"]])
  }

  /// - Parameter alternating: Lists of more settings, which the worlds use in turn.
  private func expectSameBits(
    in worlds: [(Int, Int)], _ settings: [String], alternating: [[String]] = [[]]
  ) throws {
    try Program.withCorpus { program in
      var hashes: Set<String?> = []
      for (place, (ranks, threads)) in worlds.enumerated() {
        let run = "run-\(ranks)x\(threads)"
        let result = try program.run(
          [
            "pretrain", "run.yaml", "--threads", "\(threads)", "--oversubscribe", "--set",
            "run=\(run)",
          ] + settings + alternating[place % alternating.count], ranks: ranks)
        #expect(result.code == 0, "\(result.errors)")
        hashes.insert(program.hash(run))
      }
      #expect(hashes.count == 1 && !hashes.contains(nil), "\(hashes)")
    }
  }

  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func aProfileReportsTimesAndDoesNotChangeTheBits() throws {
    try Program.withCorpus { program in
      var program = program
      program.cache = "\(program.folder)/cache"
      let run = { (name: String, more: [String]) in
        try program.run(
          ["pretrain", "run.yaml", "--threads", "1", "--set", "run=\(name)"] + more, ranks: 2)
      }
      let plain = try run("plain", [])
      let profiled = try run("profiled", ["--profile"])
      #expect(plain.code == 0 && profiled.code == 0, "\(profiled.errors)")
      #expect(program.hash("plain") != nil && program.hash("plain") == program.hash("profiled"))
      #expect(!plain.errors.contains("profile of"))
      // Only rank 0 prints the table.
      #expect(profiled.errors.components(separatedBy: "profile of steps 3–7 on rank 0").count == 2)
      for row in ["operation", "linear", "optimizer", "waiting", "matrix products: "] {
        #expect(
          profiled.errors.split(separator: "\n").contains { $0.hasPrefix(row) }, "\(row)")
      }
      for rank in 0..<2 {
        let trace = try #require(program.read("profiled/profile/trace-rank-\(rank).json"))
        let json = try JSONSerialization.jsonObject(with: trace) as? [String: Any]
        let events = try #require(json?["traceEvents"] as? [[String: Any]])
        let names = Set(events.compactMap { $0["name"] as? String })
        #expect(
          names.isSuperset(of: [
            "data", "optimizer", "sum bucket", "gather weights", "crossEntropy",
          ]))
        #expect(events.allSatisfy { $0["pid"] as? Int == rank })
      }
      #expect(program.names(in: "cache/apus").count == 1)
      // With fewer steps left than a profile covers, it covers those. A corrupt cache is ignored.
      let peak = try #require(program.names(in: "cache/apus").first)
      try program.write("{", to: "cache/apus/\(peak)")
      let rest = try run("profiled", ["--profile", "--set", "steps=13"])
      #expect(rest.code == 0 && rest.errors.contains("profile of steps 13–13"), "\(rest.errors)")
    }
  }

  /// SGD has one state buffer, where AdamW has two.
  ///
  /// The run is killed and resumed with other ranks.
  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func bitsWithSGDDoNotDependOnRanksThreadsOrKills() throws {
    try Program.withCorpus { program in
      let sgd =
        ["pretrain", "run.yaml"] + Program.long + [
          "--set", "optimizer.name=sgd", "--set", "optimizer.learningRate=0.05", "--set",
          "steps=60",
        ]
      for (ranks, threads) in [(1, 1), (2, 2), (3, 1)] {
        let result = try program.run(
          sgd + ["--threads", "\(threads)", "--set", "run=run-\(ranks)x\(threads)"], ranks: ranks)
        #expect(result.code == 0, "\(result.errors)")
      }
      let (process, output, errors) = try program.start(
        sgd + ["--threads", "1", "--set", "run=killed"], ranks: 2)
      Program.wait(for: process) { !program.steps("killed").isEmpty }
      kill(try #require(Program.children(of: process).last), SIGKILL)
      #expect(Program.finish(process, output, errors).code == 137)
      let before = try #require(program.steps("killed").last)
      #expect(before < 60)
      let last = try program.run(sgd + ["--threads", "1", "--set", "run=killed"], ranks: 3)
      #expect(last.code == 0 && last.errors.contains("resuming from"), "\(last.errors)")
      let hashes = Set(
        ["run-1x1", "run-2x2", "run-3x1", "killed"].map { program.hash($0, step: 60) })
      #expect(hashes.count == 1 && !hashes.contains(nil), "\(hashes)")
      // The weights change: constant weights would be equal too.
      #expect(program.hash("run-1x1", step: 60) != program.hash("run-1x1", step: 56))
    }
  }

  @Test func aDamagedCheckpointIsSetAsideWithItsReason() throws {
    try Program.withCorpus { program in
      #expect(try program.run(["pretrain", "run.yaml"]).code == 0)
      let expected = program.hash("run")
      let path = "run/checkpoints/step-00000012/model.safetensors"
      var bytes = try #require(program.read(path))
      bytes[bytes.count / 2] ^= 1
      try program.write(bytes, to: path)
      let result = try program.run(["pretrain", "run.yaml"])
      #expect(result.code == 0)
      #expect(result.errors.contains("set aside") && result.errors.contains("SHA-256"))
      #expect(program.hash("run") == expected)
      #expect(program.names(in: "run/checkpoints").contains("step-00000012.damaged"))
    }
  }

  @Test func divergenceFailsWithCode3AndKeepsTheLastGoodCheckpoint() throws {
    try Program.withCorpus { program in
      #expect(try program.run(["pretrain", "run.yaml", "--set", "steps=6"]).code == 0)
      let good = program.hash("run", step: 6)
      let result = try program.run(
        [
          "pretrain", "run.yaml", "--set", "steps=60", "--set", "optimizer.learningRate=1e9",
          "--set", "optimizer.clip=0", "--set", "schedule.warmup=0",
        ])
      #expect(result.code == 3, "\(result.errors)")
      #expect(result.errors.contains("diverged at step"))
      #expect(good != nil && program.hash("run", step: 6) == good)
    }
  }

  /// The newer of two checkpoints has a damaged file.
  @Test(arguments: ["model.safetensors", "config.json", "tokenizer.json"])
  func aDamagedModelIsRefusedOrSkipped(file: String) throws {
    try Program.withCorpus { program in
      let generate = { (model: String) in
        try program.run(
          ["generate", model, "Line", "--tokens", "8", "--greedy", "--precision", "fp32"])
      }
      #expect(try program.run(["pretrain", "run.yaml", "--set", "checkpoint.keep=9"]).code == 0)
      let before = program.checkpoint("run", step: program.steps("run").dropLast().last ?? 0)
      let damaged = program.checkpoint("run", step: 12)
      var bytes = try #require(program.read("\(damaged)/\(file)"))
      bytes[bytes.count - 3] ^= 1
      try program.write(bytes, to: "\(damaged)/\(file)")
      let refused = try generate(damaged)
      #expect(refused.code == 2 && refused.output.isEmpty, "\(refused)")
      #expect(refused.errors.contains("\(damaged)/\(file) is damaged"), "\(refused.errors)")
      let passed = try generate("run")
      let older = try generate(before)
      #expect(passed.code == 0 && passed.output == older.output && older.errors.isEmpty)
      for word in ["step-00000012 is skipped", before, "\(file) is damaged", "SHA-256"] {
        #expect(passed.errors.contains(word), "\(passed.errors)")
      }
      for step in program.steps("run") where step != 12 {
        let folder = "\(program.folder)/\(program.checkpoint("run", step: step))"
        try FileManager.default.removeItem(atPath: folder)
      }
      let alone = try generate("run")
      #expect(alone.code == 2 && alone.errors.contains("\(file) is damaged"), "\(alone)")
    }
  }

  /// A checkpoint whose manifest is missing is no folder of another program.
  @Test func aCheckpointWithoutItsManifestIsRefused() throws {
    try Program.withCorpus { program in
      #expect(try program.run(["pretrain", "run.yaml"]).code == 0)
      let folder = program.checkpoint("run", step: 12)
      let manager = FileManager.default
      try manager.removeItem(atPath: "\(program.folder)/\(folder)/MANIFEST.json")
      try manager.copyItem(
        atPath: "\(program.folder)/\(folder)", toPath: "\(program.folder)/renamed")
      for (path, sign) in [(folder, "its name is that"), ("renamed", "it holds the state")] {
        let refused = try program.run(["generate", path, "--tokens", "3"])
        #expect(refused.code == 2, "\(refused)")
        for word in ["\(path) is damaged: it has no MANIFEST.json", sign, "an earlier checkpoint"] {
          #expect(refused.errors.contains(word), "\(refused.errors)")
        }
      }
      try manager.removeItem(atPath: "\(program.folder)/renamed/state.json")
      #expect(try program.run(["generate", "renamed", "--tokens", "3"]).code == 0)
    }
  }

  /// The folder has no manifest, like one from another program, and a weight of NaN.
  @Test func nonFiniteWeightsAreRefused() throws {
    try Program.withCorpus { program in
      #expect(try program.run(["pretrain", "run.yaml"]).code == 0)
      let folder = try program.plainCopy(of: program.checkpoint("run", step: 12))
      #expect(try program.run(["generate", folder, "--tokens", "3"]).code == 0)
      var bytes = try #require(program.read("\(folder)/model.safetensors"))
      bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
      try program.write(bytes, to: "\(folder)/model.safetensors")
      let refused = try program.run(["generate", folder, "--tokens", "3"])
      #expect(refused.code == 2 && refused.output.isEmpty, "\(refused)")
      for word in ["model.safetensors", "transformer.", "not finite"] {
        #expect(refused.errors.contains(word), "\(refused.errors)")
      }
    }
  }

  @Test func generateIsDeterministicAndRefusesInvalidPrompts() throws {
    try Program.withCorpus { program in
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
