import Foundation
import Testing

/// Folders as PEFT and transformers write them, and settings that ask for more than a machine has.
@Suite(.serialized) struct FolderOfOthersTests {
  private func refusal(
    _ program: Program, _ words: [String], code: Int32 = 2, _ expected: String
  ) throws {
    let result = try program.run(words)
    #expect(result.code == code && result.output.isEmpty, "\(words): \(result)")
    #expect(result.errors.contains(expected), "\(result.errors)")
  }

  /// PEFT writes the adapter alone: tokenizer and chat template are those of its base model.
  @Test func anAdapterWithoutTokenizerHasTheTemplateOfItsBase() throws {
    try Program.withModel { program in
      let data = ["data.train=talk.jsonl", "data.template=chatml"]
      let chat = Program.short("chat") + data.flatMap { ["--set", $0] }
      #expect(try program.run(["finetune"] + chat).code == 0)
      let lora =
        Program.short("lora", from: "chat", "lora.rank=2", "data.train=talk.jsonl")
        + ["--set", "steps=3"]
      #expect(try program.run(["finetune"] + lora).code == 0)
      let own = program.checkpoint("lora", step: 3)
      for name in ["adapter_config.json", "adapter_model.safetensors"] {
        try program.write(try #require(program.read("\(own)/\(name)")), to: "peft/\(name)")
      }
      let options = ["Say 3", "--chat", "--greedy", "--tokens", "5"]
      let whole = try program.run(["generate", own] + options)
      let alone = try program.run(["generate", "peft"] + options)
      #expect(alone.code == 0 && alone.output == whole.output, "\(alone) \(whole)")
      #expect(try program.run(["export", "peft", "--output", "out"]).code == 0)
      let template =
        program.read("out/chat_template.jinja") ?? program.read("out/tokenizer_config.json")
      #expect(String(decoding: template ?? Data(), as: UTF8.self).contains("im_start"))
    }
  }

  /// transformers and TRL call the one value of a reward model LABEL_0.
  @Test func aRewardModelWithAnotherLabelIsTrainedFurther() throws {
    try Program.withModel { program in
      let pairs = ["--set", "data.train=pairs.jsonl"]
      #expect(try program.run(["reward"] + Program.short("first") + pairs).code == 0)
      #expect(try program.run(["export", "first", "--output", "model"]).code == 0)
      let path = "model/config.json"
      let text = String(decoding: try #require(program.read(path)), as: UTF8.self)
      let other = text.replacing("\"reward\"", with: "\"LABEL_0\"")
      #expect(other != text)
      try program.write(other, to: path)
      let next = try program.run(["reward"] + Program.short("next", from: "model") + pairs)
      #expect(next.code == 0, "\(next)")
    }
  }

  @Test func numbersBeyondAnyMachineAreRefused() throws {
    try Program.withModel { program in
      #expect(try program.run(["export", "base", "--output", "model"]).code == 0)
      for settings in [
        #"{"max_new_tokens": 9223372036854775807}"#, #"{"num_return_sequences": 100000000}"#,
      ] {
        try program.write(settings, to: "model/generation_config.json")
        try refusal(program, ["generate", "model", "a"], "asks for more than 1000000 texts")
      }
      let generate = ["generate", "base", "a"]
      try refusal(
        program, generate + ["--tokens", "9223372036854775807"], code: 64,
        "--tokens must be at most")
      try refusal(
        program, generate + ["--samples", "9223372036854775807"], code: 64,
        "--samples must be at most")
      for key in ["steps", "checkpoint.keep"] {
        try refusal(
          program, ["pretrain", "run.yaml", "--set", "\(key)=9223372036854775807", "--dry-run"], key
        )
      }
      let lora = ["finetune"] + Program.short("lora", "data.train=talk.jsonl", "lora.rank=2")
      for key in ["lora.targets=[]", "lora.modulesToSave=[c_attn,c_proj,c_fc]"] {
        try refusal(program, lora + ["--set", key], "LoRA has no linear layer to adapt")
      }
      let patient = ["finetune"] + Program.short("p", "data.train=talk.jsonl")
      for more in [[], ["--dry-run"]] {
        try refusal(
          program, patient + ["--set", "earlyStopping.patience=2"] + more,
          "earlyStopping.patience needs a validation loss")
      }
    }
  }

  /// A run that has learned its examples resumes with others, whose losses are as high as at first.
  @Test func otherExamplesAreNoDivergence() throws {
    try Program.withModel { program in
      func label(_ first: String, _ second: String) throws {
        let lines = (0..<8).map {
          #"{"text": "word \#($0)", "label": "\#($0 % 2 == 0 ? first : second)"}"#
        }
        try program.write(lines.joined(separator: "\n"), to: "labels.jsonl")
      }
      func train(_ steps: Int) throws -> Program.Result {
        try program.run(
          ["finetune"] + Program.short("labels", "data.train=labels.jsonl", "task=classification")
            + [
              "steps=\(steps)", "optimizer.learningRate=1e-2", "schedule.name=constant",
              "batch.sequences=128", "precision=fp32",
            ].flatMap { ["--set", $0] })
      }
      try label("a", "b")
      #expect(try train(60).code == 0)
      let learned = try program.figures("labels").compactMap { $0["loss"] as? Double }
      try #require(learned.last ?? 1 < 0.1, "\(learned.suffix(3))")
      try label("b", "a")
      let result = try train(80)
      #expect(result.code == 0, "\(result.errors.suffix(600))")
    }
  }
}
