import Crypto
import Foundation
import Testing

/// Every phase after pretraining, with full fine-tuning and with LoRA, from the command line.
@Suite struct PhaseTests {
  /// A phase and its keys.
  enum Phase: String, CaseIterable {
    case finetune, reward, dpo, kto, ppo, grpo, rloo

    var command: String { [.finetune, .reward].contains(self) ? rawValue : "align" }

    var keys: String {
      switch self {
      case .finetune: "data: { train: talk.jsonl, validation: 0.2 }"
      case .reward: "data: { train: pairs.jsonl, validation: 0.2 }"
      case .dpo: "data: { train: pairs.jsonl, validation: 0.2 }\nmethod: dpo"
      case .kto: "data: { train: judged.jsonl, validation: 0.2 }\nmethod: kto"
      case .ppo:
        """
        data: { train: talk.jsonl, validation: 0.2 }
        method: ppo
        rollouts: { prompts: 16, tokens: 8, batch: 4 }
        policy: { epochs: 2 }
        kl: { target: 1 }
        reward: { model: judge, allowUnfit: true, rule: "[aeiou]", unendedPenalty: 0.1 }
        """
      case .grpo:
        """
        data: { train: talk.jsonl, validation: 0.2 }
        method: grpo
        rollouts: { prompts: 4, samples: 4, tokens: 8, batch: 8 }
        policy: { epochs: 1 }
        reward: { command: "awk '{ print length($0) % 3 }'" }
        """
      case .rloo:
        """
        data: { train: talk.jsonl, validation: 0.2 }
        method: rloo
        rollouts: { prompts: 4, samples: 4, tokens: 8, batch: 8 }
        policy: { epochs: 2 }
        reward: { rule: "[aeiou]" }
        """
      }
    }
  }

  /// Every phase with full weights and by LoRA; rloo, which differs from grpo in its advantages, only
  /// with full weights.
  static let phases = Phase.allCases.flatMap { phase in
    (phase == .rloo ? [0] : [0, 2]).map { (phase, $0) }
  }

  private func write(_ phase: Phase, rank: Int, to program: Program) throws {
    try program.write(
      """
      model: { from: base }
      \(phase.keys)
      lora: { rank: \(rank) }
      batch: { microBatches: 4, sequences: 2 }
      steps: 12
      schedule: { warmup: 2 }
      optimizer: { learningRate: 1e-3 }
      checkpoint: { every: 4 }
      evaluate: { every: 6 }
      """, to: "phase.yaml")
    if phase == .ppo {
      let judge = try program.run([
        "reward", "--set", "run=judge", "--set", "model.from=base", "--set",
        "data.train=[pairs.jsonl]", "--set", "steps=4", "--set", "schedule.warmup=1",
      ])
      #expect(judge.code == 0, "\(judge.errors)")
    }
  }

  /// Expects that the first update of a rollout iteration has the bits of the policy that sampled.
  private func expectRatioOne(_ program: Program) throws {
    let line = try #require(
      program.read("run-1x1/metrics.jsonl")?.split(separator: 0x0A).first {
        String(decoding: $0, as: UTF8.self).hasPrefix(#"{"step":1,"loss""#)
      })
    let step = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
    #expect(step["ratio"] as? Double == 1 && step["largestRatio"] as? Double == 1)
    #expect(step["updateKL"] as? Double == 0)
    #expect(step["samplingDifference"] as? Double == 0)
  }

  private func hash(_ program: Program, _ run: String) -> String? {
    let names = ["model.safetensors", "adapter_model.safetensors"]
    return names.lazy.compactMap {
      program.read("\(program.checkpoint(run, step: 12))/\($0)").map {
        SHA256.hash(data: $0).description
      }
    }.first
  }

  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: PhaseTests.phases)
  func bitsDoNotDependOnRanksThreadsOrKills(phase: Phase, rank: Int) throws {
    try Program.withModel { program in
      try write(phase, rank: rank, to: program)
      var hashes: Set<String?> = []
      for (ranks, threads) in [(1, 1), (1, 2), (2, 1), (4, 1)] {
        let run = "run-\(ranks)x\(threads)"
        let result = try program.run(
          [phase.command, "phase.yaml", "--threads", "\(threads)", "--set", "run=\(run)"],
          ranks: ranks)
        #expect(result.code == 0, "\(result.errors)")
        hashes.insert(hash(program, run))
      }
      let killed = [phase.command, "phase.yaml", "--threads", "1", "--set", "run=killed"]
      let (process, output, errors) = try program.start(killed, ranks: 2)
      Program.wait(for: process) { !program.steps("killed").isEmpty }
      if let victim = Program.children(of: process).last { kill(victim, SIGKILL) }
      let end = Program.finish(process, output, errors)
      #expect([0, 137].contains(end.code), "\(end.errors)")
      let last = try program.run(killed, ranks: 3)
      #expect(last.code == 0, "\(last.errors)")
      hashes.insert(hash(program, "killed"))
      #expect(hashes.count == 1 && !hashes.contains(nil), "\(phase) \(rank): \(hashes)")
      #expect(program.metrics("killed") == Array(1...12))
      if [.ppo, .grpo, .rloo].contains(phase) { try expectRatioOne(program) }
    }
  }

  /// The phases that learn from data, with two workers in rounds of three steps.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: [(Phase.finetune, 0), (.finetune, 2), (.reward, 0), (.dpo, 2), (.kto, 0)])
  func bitsOfDiLoCoDoNotDependOnRanks(phase: Phase, rank: Int) throws {
    try Program.withModel { program in
      try write(phase, rank: rank, to: program)
      var hashes: Set<String?> = []
      for ranks in [1, 2, 4] {
        let result = try program.run(
          [
            phase.command, "phase.yaml", "--threads", "1", "--set", "run=run-\(ranks)", "--set",
            "sync=diloco", "--set", "diloco.innerSteps=3",
          ], ranks: ranks)
        #expect(result.code == 0, "\(result.errors)")
        hashes.insert(hash(program, "run-\(ranks)"))
      }
      #expect(hashes.count == 1 && !hashes.contains(nil), "\(phase) \(rank): \(hashes)")
    }
  }
}
