import Foundation
import Testing

/// The dropout of a published model, by phase: as in TRL, whose DPO, KTO and reward trainers disable it.
@Suite(.serialized) struct ModelDropoutTests {
  private static let asked = #"{"role":"user","content":"Say 1"}"#
  private static let answered = #"{"role":"assistant","content":"bird 1"}"#

  /// The losses of the first steps at a learning rate of 0, on one record.
  private func losses(
    _ program: Program, _ run: String, _ command: String, _ record: String, _ settings: String...
  ) throws -> [Double] {
    try program.write(
      Array(repeating: record, count: 8).joined(separator: "\n"), to: "\(run).jsonl")
    let keys = ["data.train=\(run).jsonl", "optimizer.learningRate=0", "steps=3", "precision=fp32"]
    let result = try program.run(
      [command] + Program.short(run) + (keys + settings).flatMap { ["--set", $0] })
    #expect(result.code == 0, "\(result)")
    return try program.figures(run).filter { $0["gradientNorm"] != nil }
      .compactMap { $0["loss"] as? Double }
  }

  @Test func answersAreComparedWithoutTheModelsDropout() throws {
    try Program.withModel(["model.dropout=0.3"]) { program in
      let pair = #"{"prompt":"Say 1","chosen":"bird 1","rejected":"1 o'clock"}"#
      for (form, start) in [("sigmoid", log(2.0)), ("ipo", 25)] {
        let found = try losses(program, form, "align", pair, "method=dpo", "dpo.loss=\(form)")
        // Policy and reference are equal: ln 2, and 1 ÷ (2β)².
        #expect(found.count == 3 && found.allSatisfy { abs($0 - start) < 1e-4 * start }, "\(found)")
      }
      let liked = #"{"prompt":"Say 1","completion":"bird 1","label":true}"#
      let other = #"{"prompt":"Say 2","completion":"bird 2","label":true}"#
      let kto = try losses(program, "kto", "align", liked + "\n" + other, "method=kto")
      #expect(kto.count == 3 && kto.allSatisfy { abs($0 - 0.5) < 1e-4 }, "\(kto)")
      let reward = try losses(program, "reward", "reward", pair)
      #expect(reward.count == 3 && Set(reward).count == 1, "\(reward)")
      // Fine-tuning has it, and so have adapters that ask for it.
      let chat = #"{"messages":[\#(Self.asked),\#(Self.answered)]}"#
      #expect(Set(try losses(program, "chat", "finetune", chat)).count == 3)
      let adapters = ["lora.rank=2", "lora.dropout=0.5", "lora.modulesToSave=[score]"]
      let adapted = try losses(
        program, "adapted", "reward", pair, adapters[0], adapters[1], adapters[2])
      #expect(adapted.count == 3, "\(adapted)")
    }
  }

  /// Completions have the probabilities with which they were sampled.
  @Test func dropoutOfAdaptersIsRefusedForSampledCompletions() throws {
    try Program.withModel { program in
      let result = try program.run(
        Program.shortAlignment("grpo", "reward.rule=bird", "lora.rank=2", "lora.dropout=0.1"))
      #expect(result.code == 2 && result.errors.contains("lora.dropout"), "\(result)")
    }
  }
}
