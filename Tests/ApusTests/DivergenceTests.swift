import Foundation
import Testing

/// Alignment with a learning rate that destroys the model: the run ends with exit code 3 before a
/// good checkpoint is removed.
@Suite(.serialized) struct DivergenceTests {
  /// The keys of a method that make a rate of 1e6 harmful, and those of a sound run.
  private static func run(_ method: String, _ keys: [String]) -> [String] {
    let data =
      method == "dpo"
      ? ["data.train=pairs.jsonl"]
      : [
        "data.train=talk.jsonl", "rollouts.tokens=8", "rollouts.batch=8", "policy.epochs=2",
        "reward.command=awk '{ print NR % 3 }'", "rollouts.prompts=4",
        "rollouts.samples=\(method == "ppo" ? 2 : 4)",
      ]
    let all =
      [
        "method=\(method)", "run=\(method)", "model.from=base", "batch.microBatches=4",
        "batch.sequences=2", "schedule.name=constant", "schedule.warmup=2", "data.validation=0.2",
        "checkpoint.keep=1",
      ] + data + keys
    return ["align", "--threads", "1"] + all.flatMap { ["--set", $0] }
  }

  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: [nil, 2])
  func aLearningRateThatDestroysThePolicyEndsTheRun(ranks: Int?) throws {
    let base = ["steps=500", "model.width=32", "optimizer.learningRate=5e-3", "checkpoint.every=0"]
    try Program.withModel(base) { program in
      for (method, rate) in [
        ("ppo", "1e6"), ("grpo", "1e6"), ("rloo", "1e6"), ("dpo", "1e6"), ("ppo", "1"),
      ] {
        try? FileManager.default.removeItem(atPath: "\(program.folder)/\(method)")
        let sound = try program.run(
          Self.run(method, ["steps=4", "optimizer.learningRate=1e-3"]), ranks: ranks)
        #expect(sound.code == 0, "\(method): \(sound.errors)")
        let weights = program.hash(method, step: 4)
        #expect(weights != nil)
        let lost = try program.run(
          Self.run(method, ["steps=40", "optimizer.learningRate=\(rate)", "checkpoint.every=1"]),
          ranks: ranks)
        #expect(lost.code == 3, "\(method) \(rate): \(lost.errors)")
        #expect(
          lost.errors.contains("apus: The run diverged at step"), "\(method): \(lost.errors)")
        // The rates of the warm-up's first step are as harmful: nothing after step 4 is good.
        #expect(program.steps(method) == [4], "\(method) \(rate): \(lost.errors)")
        #expect(program.hash(method, step: 4) == weights)
        let next = try program.run(
          Self.run(method, ["steps=8", "optimizer.learningRate=1e-3"]), ranks: ranks)
        #expect(next.code == 0 && program.steps(method) == [8], "\(method): \(next.errors)")
      }
    }
  }

  /// At a learning rate of 1 the loss of a head is far above that of a guess in most steps, not in
  /// all.
  @Test func aLearningRateThatDestroysAHeadEndsTheRun() throws {
    try Program.withModel(["steps=200", "model.width=32", "checkpoint.every=0"]) { program in
      let texts = (0..<40).map {
        #"{"text":"text \#($0 * 7 % 40) of many","label":"\#($0 % 3 == 0 ? "a" : "b")"}"#
      }
      try program.write(texts.joined(separator: "\n"), to: "texts.jsonl")
      for rate in ["1e-3", "1", "10"] {
        let result = try program.run(
          ["finetune", "--threads", "1"]
            + [
              "run=head-\(rate)", "task=classification", "model.from=base",
              "data.train=texts.jsonl", "data.validation=0", "batch.microBatches=2",
              "batch.sequences=2", "steps=40", "schedule.warmup=0", "checkpoint.every=1",
              "checkpoint.keep=40", "optimizer.learningRate=\(rate)",
            ].flatMap { ["--set", $0] })
        let steps = program.steps("head-\(rate)")
        if rate == "1e-3" {
          #expect(result.code == 0 && steps.last == 40, "\(result.errors)")
        } else {
          #expect(result.code == 3, "\(rate): \(result.errors)")
          #expect(steps.allSatisfy { $0 < 20 }, "\(rate): \(steps)")
          #expect(result.errors.contains("steps in a row"), "\(result.errors)")
        }
      }
    }
  }
}
