import Foundation
import Testing

/// LoRA adapters and the base weights that they were trained with.
@Suite(.serialized) struct AdapterBaseTests {
  private func finetune(_ settings: String...) -> [String] {
    ["finetune"]
      + Program.short("run", from: "start", "data.train=talk.jsonl", "lora.rank=2", "steps=4")
      + settings.flatMap { ["--set", $0] }
  }

  /// Flips a bit in the middle of `file`.
  private func change(_ file: String, in program: Program) throws {
    var bytes = try #require(program.read(file))
    bytes[bytes.count / 2] ^= 1
    try program.write(bytes, to: file)
  }

  @Test func changedWeightsOfTheBaseModelAreRefused() throws {
    try Program.withModel { program in
      #expect(try program.run(["export", "base", "--output", "start"]).code == 0)
      #expect(try program.run(finetune("checkpoint.every=2")).code == 0)
      let weights = try #require(program.read("start/model.safetensors"))
      try change("start/model.safetensors", in: program)
      let before = try program.contents()
      let folder = program.checkpoint("run", step: 4)
      for arguments in [
        finetune("steps=6"), ["generate", "run", "Say", "--tokens", "2"],
        ["export", folder, "--output", "merged"],
        ["finetune"] + Program.short("more", from: "run", "data.train=talk.jsonl"),
      ] {
        let result = try program.run(arguments)
        #expect(result.code == 2 && result.output.isEmpty, "\(result)")
        for word in ["\(folder) was trained on the weights of start", "SHA-256", "restore"] {
          #expect(result.errors.contains(word), "\(arguments): \(result.errors)")
        }
        if arguments[0] != "finetune" || arguments.contains("run=run") {
          #expect(try program.contents() == before, "\(arguments)")
        }
      }
      // With the original weights the run resumes.
      try program.write(weights, to: "start/model.safetensors")
      let resumed = try program.run(finetune("steps=6"))
      #expect(resumed.code == 0 && resumed.errors.contains("resuming from"), "\(resumed.errors)")
    }
  }

  @Test func resumingALoRARunWithoutLoRAIsRefused() throws {
    try Program.withModel { program in
      #expect(try program.run(["export", "base", "--output", "start"]).code == 0)
      #expect(try program.run(finetune()).code == 0)
      let result = try program.run(finetune("lora.rank=0", "steps=6"))
      #expect(result.code == 2, "\(result.errors)")
      #expect(result.errors.contains("it has LoRA adapters, not full weights"), "\(result.errors)")
      #expect(program.steps("run").last == 4)
    }
  }

  /// Alpha is too small for the adapter to have an effect, so only the trained head changes the
  /// policy.
  ///
  /// The reference model must keep the original head.
  @Test func aTrainedHeadDoesNotChangeTheReferenceModel() throws {
    try Program.withModel(["model.family=llama"]) { program in
      let result = try program.run(
        Program.shortAlignment(
          "run", #"reward.rule="[a-z]""#, "lora.rank=1", "lora.alpha=0.001",
          "lora.modulesToSave=[lm_head]", "optimizer.learningRate=0.02", "steps=8"))
      #expect(result.code == 0, "\(result.errors)")
      let steps = try program.figures("run").filter { $0["loss"] != nil }
      let divergence = steps.compactMap { $0["referenceKLk3"] as? Double }
      #expect(divergence.count == 8 && divergence[0] == 0, "\(divergence)")
      #expect(divergence[7] > 1e-3, "\(divergence)")
      #expect(steps[0]["ratio"] as? Double == 1)
    }
  }

  @Test func anUnknownModuleToSaveIsRefused() throws {
    try Program.withModel(["model.family=llama", "model.tied=true"]) { program in
      let before = try program.contents()
      let result = try program.run(
        Program.shortAlignment(
          "run", "reward.rule=a", "lora.rank=1", "lora.modulesToSave=[lm_head]"))
      #expect(result.code == 2, "\(result.errors)")
      for word in ["lm_head", "matches no module", "embed_tokens"] {
        #expect(result.errors.contains(word), "\(result.errors)")
      }
      #expect(try program.contents() == before)
    }
  }
}
