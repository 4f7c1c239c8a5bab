import Checkpoints
import Foundation
import Tensors
import Testing

/// Loss spikes of whole runs: weights that a fault destroys, on several ranks and with `kill -9`.
@Suite(.serialized) struct SpikeTests {
  /// A fault that makes weights of the last norm infinite after `step`, on every rank.
  private func destroyed(_ program: Program, model: String, after step: Int) throws -> String {
    let layout = try ModelFolder(path: "\(program.folder)/\(model)").network.layout
    let norm = try #require(layout.entries.first { $0.name.hasSuffix("ln_f.weight") })
    // Bit 30 of a number near 1 makes it NaN, infinite or so large that products are.
    return norm.range.prefix(8).map { "flip=\($0):30@step=\(step),phase=optimizer" }
      .joined(separator: ";")
  }

  private func skipped(_ program: Program, _ run: String) -> [String] {
    struct Record: Decodable {
      let skipped: [SkippedSteps]
    }
    let file = program.read("\(run)/skipped.json") ?? Data()
    return (try? JSONDecoder().decode(Record.self, from: file))?.skipped.map(\.text) ?? []
  }

  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func aKilledRollbackEndsAtTheSameWeights() throws {
    try Program.withCorpus { program in
      let keys = [
        "steps=40", "guard.onSpike=rollback", "guard.rollbackSteps=8", "checkpoint.every=11",
        "checkpoint.keep=1", "evaluate.every=10",
      ]
      func arguments(_ run: String, _ keys: [String]) -> [String] {
        ["pretrain", "run.yaml", "--threads", "1", "--set", "run=\(run)"]
          + keys.flatMap { ["--set", $0] }
      }
      #expect(try program.run(arguments("model", ["steps=1"])).code == 0)
      let fault = try destroyed(program, model: "model", after: 20)
      var faulty = program
      faulty.environment["APUS_FAULT"] = fault
      let whole = try faulty.run(arguments("whole", keys))
      #expect(whole.code == 0, "\(whole.errors)")
      #expect(
        whole.errors.contains(
          "the run diverged: its validation loss is nan; it goes back to whole/checkpoints/step-0000001"
        ))
      #expect(whole.errors.contains("guard.skipped: [12-20] repeats this"), "\(whole.errors)")
      #expect(skipped(program, "whole") == ["12-20"])
      let hash = program.hash("whole", step: 40)
      #expect(hash != nil && program.metrics("whole") == Array(1...11) + Array(21...40))

      // Two ranks; rank 0 ends before the record is written, and after it, and rank 1 later.
      for place in [
        "rank=0,phase=rollback,attempt=1", "rank=0,step=22,phase=forward,attempt=2",
        "rank=1,step=23,phase=exchange,attempt=3",
      ] {
        faulty.environment["APUS_FAULT"] = "\(fault);kill@\(place)"
        let result = try faulty.run(arguments("killed", keys), ranks: 2)
        #expect(result.code == 137, "\(place): \(result.errors.suffix(2000))")
      }
      // The weights are not destroyed again: the record holds.
      #expect(skipped(program, "killed") == ["12-20"])
      let last = try program.run(arguments("killed", keys), ranks: 3)
      #expect(last.code == 0, "\(last.errors)")
      #expect(program.hash("killed", step: 40) == hash)
      #expect(program.metrics("killed") == program.metrics("whole"))

      // The weights are not destroyed again, and the checkpoint of an undone step is left.
      faulty.environment["APUS_FAULT"] =
        ([fault] + [19, 20].map { "delay=0.4@step=\($0),phase=forward" }
        + ["kill@rank=0,phase=rollback"]).joined(separator: ";")
      let often = keys + ["checkpoint.every=6", "checkpoint.keep=9"]
      let left = try faulty.run(arguments("left", often))
      #expect(left.code == SIGKILL, "\(left.errors.suffix(2000))")
      #expect(program.steps("left").last == 18, "\(program.steps("left"))")
      #expect(skipped(program, "left") == ["12-20"])
      let finished = try program.run(arguments("left", often), ranks: 2)
      #expect(finished.code == 0, "\(finished.errors)")
      #expect(
        finished.errors.contains(
          "a rollback to step 11 was interrupted; 1 checkpoint of undone steps removed: 18"),
        "\(finished.errors)")
      #expect(program.hash("left", step: 40) == hash)
      #expect(program.metrics("left") == program.metrics("whole"))

      let list = ["steps=40", "guard.skipped=[12-20]"]
      #expect(try program.run(arguments("repeated", list), ranks: 2).code == 0)
      #expect(program.hash("repeated", step: 40) == hash)
    }
  }

  /// Whole iterations are undone, and completions are sampled for a step that is only skipped.
  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func reinforcementLearningSkipsAndGoesBack() throws {
    try Program.withModel(["steps=60", "model.width=32"]) { program in
      func arguments(_ run: String, _ keys: [String]) -> [String] {
        let all =
          [
            "method=grpo", "run=\(run)", "model.from=base", "batch.microBatches=4",
            "batch.sequences=2", "schedule.name=constant", "schedule.warmup=2", "data.validation=0",
            "data.train=talk.jsonl", "rollouts.tokens=8", "rollouts.batch=8", "policy.epochs=2",
            "reward.command=awk '{ print NR % 3 }'", "rollouts.prompts=4", "rollouts.samples=4",
            "optimizer.learningRate=1e-4",
          ] + keys
        return ["align", "--threads", "1"] + all.flatMap { ["--set", $0] }
      }
      var faulty = program
      faulty.environment["APUS_FAULT"] = try destroyed(program, model: "base", after: 9)
      let keys = ["steps=16", "guard.onSpike=rollback", "guard.rollbackSteps=2"]
      let back = try faulty.run(arguments("back", keys), ranks: 2)
      #expect(back.code == 0, "\(back.errors)")
      let steps = skipped(program, "back")
      #expect(steps.count == 1 && steps[0].hasPrefix("5-"), "\(steps): \(back.errors)")
      let list = ["steps=16", "guard.skipped=[\(steps.joined(separator: ","))]"]
      let repeated = try program.run(arguments("back-repeated", list))
      #expect(repeated.code == 0, "\(repeated.errors)")
      #expect(program.hash("back", step: 16) == program.hash("back-repeated", step: 16))

      let skip = ["steps=72", "guard.onSpike=skip", "guard.std=1", "guard.limit=50"]
      let skipping = try program.run(arguments("skip", skip), ranks: 2)
      #expect(skipping.code == 0, "\(skipping.errors)")
      let single = skipped(program, "skip")
      #expect(!single.isEmpty && single.allSatisfy { Int($0) != nil }, "\(single)")
      let names = ["steps=72", "guard.skipped=[\(single.joined(separator: ","))]"]
      #expect(try program.run(arguments("skip-repeated", names)).code == 0)
      #expect(program.hash("skip", step: 72) == program.hash("skip-repeated", step: 72))
      #expect(program.hash("skip", step: 72) != nil)
    }
  }
}
