import Foundation
import Testing

/// Pretraining as a user runs it, on tiny models.
///
/// One at a time: they all want the cores.
@Suite(.serialized) struct RunTests {
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: ["gpt2", "llama"])
  func sameBitsOnAnyRanksAndThreads(family: String) throws {
    try Program.withCorpus { program in
      var hashes: Set<String?> = []
      for (ranks, threads) in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 1)] {
        let run = "run-\(ranks)x\(threads)"
        let result = try program.run(
          [
            "pretrain", "run.yaml", "--threads", "\(threads)", "--set", "run=\(run)", "--set",
            "model.family=\(family)",
          ], ranks: ranks)
        #expect(result.code == 0, "\(result.errors)")
        hashes.insert(program.hash(run))
      }
      #expect(hashes.count == 1 && !hashes.contains(nil), "\(hashes)")
    }
  }

  @Test func aDamagedCheckpointFallsBackAndSaysWhy() throws {
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

  @Test func divergenceEndsWithThreeAndKeepsTheLastGoodCheckpoint() throws {
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

  @Test func aModelAnswersAndRefuses() throws {
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
