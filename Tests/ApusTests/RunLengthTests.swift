import Foundation
import Testing

/// The length of a run: `steps`, `epochs` and `earlyStopping.patience`.
@Suite(.serialized) struct RunLengthTests {
  /// The number in front of ` epochs in total` and the steps of a run.
  private func length(_ result: Program.Result) -> (epochs: String?, done: String?) {
    (
      result.errors.firstMatch(of: /([0-9.]+) epochs in total/).map { String($0.1) },
      result.errors.firstMatch(of: /done +([0-9]+\/[0-9]+)/).map { String($0.1) }
    )
  }

  @Test func epochsDecideTheSteps() throws {
    try Program.withModel { program in
      let finetune = [
        "finetune", "--set", "run=chat", "--set", "model.from=base", "--set",
        "data.train=talk.jsonl", "--set", "data.validation=0", "--set", "batch.microBatches=2",
        "--set", "batch.sequences=2", "--threads", "1", "--set",
      ]
      let two = try program.run(finetune + ["epochs=2", "--set", "run=two"])
      let steps = try #require(program.metrics("two").max())
      #expect(two.code == 0 && length(two).done == "\(steps)/\(steps)", "\(two.errors)")
      // One step fewer does not see the data twice.
      let fewer = try program.run(finetune + ["steps=\(steps - 1)"])
      let epochs = [two, fewer].map { Double(length($0).epochs ?? "") ?? .nan }
      #expect(epochs[0] >= 2 && epochs[1] < 2, "\(epochs)")
      // The same steps have the same bits, schedule and warm-up included, and the run is complete.
      let same = try program.run(finetune + ["steps=\(steps)", "--set", "run=same"])
      #expect(same.code == 0, "\(same.errors)")
      #expect(program.hash("two", step: steps) != nil)
      #expect(program.hash("two", step: steps) == program.hash("same", step: steps))
      let again = try program.run(finetune + ["epochs=2", "--set", "run=two"])
      #expect(again.code == 0 && again.errors.contains("resuming from"), "\(again.errors)")
      // The configuration of the run can be read again, and is that of the run.
      let resolved = try program.run(["finetune", "two/config.yaml", "--threads", "1"])
      #expect(resolved.code == 0, "\(resolved.errors)")
      #expect(!resolved.errors.contains("changed since"), "\(resolved.errors)")
      #expect(try program.run(["config", "two/config.yaml", "--phase", "finetune"]).code == 0)
      // A setting that changes after the last step trains nothing, and the log says so.
      for (steps, word) in [
        (steps, "no step is left to train with it"), (steps + 1, "the bits will differ"),
      ] {
        let late = try program.run(
          finetune + ["steps=\(steps)", "--set", "run=same", "--set", "optimizer.clip=0.5"])
        #expect(late.code == 0 && late.errors.contains(word), "\(late.errors)")
      }
      for (settings, word) in [
        (["epochs=2", "--set", "steps=3"], "epochs decides"), (["epochs=0"], "above 0"),
        (["epochs=0.1", "--set", "run=two"], "already at step"),
      ] {
        let refused = try program.run(finetune + settings)
        #expect(refused.code == 2 && refused.errors.contains(word), "\(refused.errors)")
      }
      // Whole rollout iterations: 60 prompts in iterations of 4.
      let aligned = try program.run(
        ["align"]
          + [
            "method=grpo", "run=aligned", "model.from=base", "data.train=talk.jsonl",
            "data.validation=0", "rollouts.prompts=4", "rollouts.samples=2", "rollouts.tokens=2",
            "policy.epochs=1", "batch.microBatches=2", "batch.sequences=2", "epochs=0.1",
            "schedule.warmup=1", "reward.rule=[0-9]+",
          ].flatMap { ["--set", $0] } + ["--threads", "1"])
      #expect(aligned.code == 0 && length(aligned).done == "4/4", "\(aligned.errors)")
    }
  }

  @Test func aRunEndsWhenTheValidationLossNoLongerFalls() throws {
    try Program.withCorpus { program in
      try program.write(String(Program.corpus.reversed()), to: "other.txt")
      let pretrain = [
        "pretrain", "run.yaml", "--threads", "1", "--set", "data.validation=[other.txt]", "--set",
        "steps=400", "--set", "optimizer.learningRate=3e-2", "--set", "evaluate.every=2", "--set",
        "checkpoint.every=2", "--set", "checkpoint.keep=1", "--set", "earlyStopping.patience=3",
        "--set", "model.dropout=0", "--set",
      ]
      let whole = try program.run(pretrain + ["run=whole"])
      #expect(whole.code == 0 && whole.errors.contains("stopped early"), "\(whole.errors)")
      let last = try #require(program.metrics("whole").max())
      let losses = try program.figures("whole").compactMap { line in
        (line["validationLoss"] as? Double).map { (step: line["step"] as? Int ?? 0, loss: $0) }
      }
      let best = try #require(losses.min { $0.loss < $1.loss })
      #expect(losses.count > 4 && best.step > 0 && last == best.step + 6 && last < 400)
      // The best and the last checkpoint are kept.
      #expect(program.steps("whole") == [best.step, last])
      // A finished run has nothing left to do.
      let again = try program.run(pretrain + ["run=whole"])
      #expect(again.code == 0 && program.steps("whole") == [best.step, last], "\(again.errors)")
      // A run that resumes before the end stops at the same step, with the same bits.
      let copy = "\(program.folder)/copy"
      try FileManager.default.copyItem(atPath: "\(program.folder)/whole", toPath: copy)
      try FileManager.default.removeItem(
        atPath: "\(program.folder)/" + program.checkpoint("copy", step: last))
      let resumed = try program.run(
        pretrain + ["run=copy"], ranks: Program.mpirun == nil ? nil : 2)
      #expect(resumed.code == 0 && resumed.errors.contains("resuming from"), "\(resumed.errors)")
      #expect(program.hash("copy", step: last) == program.hash("whole", step: last))
      #expect(program.steps("copy") == [best.step, last])

      for (settings, word) in [
        (["run=x", "--set", "data.validation=0"], "no validation data"),
        (["run=x", "--set", "checkpoint.keepBest=false"], "keepBest"),
      ] {
        let refused = try program.run(pretrain + settings)
        #expect(refused.code == 2 && refused.errors.contains(word), "\(refused.errors)")
        #expect(program.steps("x").isEmpty)
      }
    }
  }
}
