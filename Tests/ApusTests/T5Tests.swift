import Foundation
import Testing

/// T5 from the command line: a tokenizer, pretraining on corrupted spans, fine-tuning on prompts
/// and completions, generation.
@Suite(.serialized) struct T5Tests {
  private func withT5(_ body: (Program) throws -> Void) throws {
    try Program.withWords(
      "t5", model: "family: t5, decoderLayers: 1", tokenizer: "unigram", body)
  }

  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: ["fp32", "bf16"])
  func bitsDoNotDependOnRanksOrThreads(precision: String) throws {
    try withT5 { try $0.expectSameBits("t5", precision: precision) }
  }

  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func bitsOfFineTuningDoNotDependOnRanksOrThreads() throws {
    try withT5 { program in
      let pretrained = try program.run(["pretrain", "t5.yaml", "--set", "steps=2"])
      #expect(pretrained.code == 0, "\(pretrained.errors)")
      let records = (0..<40).map {
        let words = Array(repeating: "word\($0 % 23)", count: 1 + $0 % 4).joined(separator: " ")
        return #"{"prompt": "\#(words)", "completion": "word\#($0 % 7) \#(words)"}"#
      }
      try program.write(records.joined(separator: "\n") + "\n", to: "pairs.jsonl")
      for (file, more) in [("model", []), ("adapter_model", ["--set", "lora.rank=4"])] {
        var weights: [Data?] = []
        for (ranks, threads) in [(1, 1), (1, 2), (2, 1), (4, 1)] {
          let run = "\(file)-\(ranks)x\(threads)"
          let result = try program.run(
            [
              "finetune", "--set", "run=\(run)", "--set", "model.from=t5", "--set",
              "data.train=pairs.jsonl", "--set", "data.validation=0.2", "--set", "steps=6", "--set",
              "batch.microBatches=4", "--set", "batch.sequences=2", "--set", "recompute=layer",
              "--oversubscribe", "--threads", "\(threads)",
            ] + more, ranks: ranks)
          #expect(result.code == 0, "\(result.errors)")
          weights.append(
            program.read("\(program.checkpoint(run, step: 6))/\(file).safetensors"))
        }
        #expect(Set(weights).count == 1 && !weights.contains(nil), "\(file)")
      }
    }
  }

  /// The figures of one model in the output of `apus evaluate --json`.
  private static func figures(_ result: Program.Result) throws -> [String: Double] {
    let line = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    return (line as? [String: Any])?["figures"] as? [String: Double] ?? [:]
  }

  @Test func anEncoderDecoderPretrainsFineTunesAndGenerates() throws {
    try withT5 { program in
      let pretrained = try program.run([
        "pretrain", "t5.yaml", "--threads", "1", "--set", "steps=300", "--set", "model.dropout=0",
        "--set", "checkpoint.every=300",
      ])
      #expect(pretrained.code == 0, "\(pretrained.errors)")
      let config = try String(
        contentsOfFile: "\(program.folder)/t5/checkpoints/step-00000300/config.json",
        encoding: .utf8)
      #expect(config.contains("T5ForConditionalGeneration"))
      let texts = try program.run(["evaluate", "t5", "--texts", "text.txt", "--json"])
      #expect(texts.code == 0, "\(texts.errors)")
      // Without the context of a word the lowest possible loss is 3.1.
      #expect(try #require(Self.figures(texts)["spanLoss"]) < 1.5)

      let records = (0..<400).map { index in
        let words = [index * 5, index / 23 * 7 + index * 2].map { "word\($0 % 23)" }
        return #"{"prompt": "\#(words.joined(separator: " "))", "completion": "\#(words[1])"}"#
      }
      try program.write(records.joined(separator: "\n") + "\n", to: "pairs.jsonl")
      let tuning = [
        "finetune", "--set", "model.from=t5", "--set", "data.train=pairs.jsonl", "--set",
        "data.validation=0.1", "--set", "steps=200", "--set", "optimizer.learningRate=5e-3",
        "--set", "batch.sequences=8", "--set", "schedule.warmup=5", "--threads", "1",
      ]
      // One answer in 23 is right by chance.
      for (run, least, more) in [
        ("whole", 0.8, []), ("lora", 0.4, ["--set", "lora.rank=8"]),
      ] {
        let tuned = try program.run(tuning + ["--set", "run=\(run)"] + more)
        #expect(tuned.code == 0, "\(tuned.errors)")
        let measured = try program.run(["evaluate", run, "--records", "pairs.jsonl", "--json"])
        let accuracy = try #require(Self.figures(measured)["exactMatch"])
        #expect(accuracy > least, "\(run) \(measured.errors)")
      }
      let written = try program.run(["generate", "whole", "word5 word5", "--greedy"])
      #expect(written.code == 0 && written.output == "word5\n", "\(written.errors)")
      let samples = try program.run(["generate", "whole", "word5 word5", "--samples", "3"])
      #expect(samples.output.split(separator: "\n").count == 3, "\(samples.errors)")
    }
  }

  /// Commands and keys that do not apply to an encoder–decoder fail with a sentence.
  @Test(arguments: [
    (["embed", "t5", "word1"], "an encoder–decoder"),
    (["finetune", "--set", "task=classification"], "an encoder–decoder"),
    (["finetune", "--set", "data.template=chatml"], "data.template"),
    (["finetune", "--set", "data.train=turns.jsonl"], "a prompt with its completion"),
    (["align", "--set", "method=dpo"], "an encoder–decoder"),
    (["pretrain", "t5.yaml", "--set", "data.documentMask=true"], "data.documentMask"),
    (["pretrain", "t5.yaml", "--set", "model.initialStd=0.1"], "model.initialStd"),
    (
      [
        "pretrain", "t5.yaml", "--set", "model.context=300", "--set", "spans.rate=0.5", "--set",
        "spans.mean=1",
      ], "model.vocabulary"
    ),
    (["pretrain", "t5.yaml", "--set", "mask.rate=0.3"], "mask.rate"),
    (["pretrain", "run.yaml", "--set", "spans.rate=0.3"], "spans.rate"),
    (["pretrain", "run.yaml", "--set", "model.gated=false"], "model.gated"),
  ])
  func unsupportedUseFailsWithASentence(arguments: [String], word: String) throws {
    try withT5 { program in
      var arguments = arguments
      try program.write(
        #"{"messages": [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}, "#
          + #"{"role": "assistant", "content": "c"}]}"# + "\n", to: "turns.jsonl")
      try program.write(
        #"{"prompt": "a", "chosen": "b", "rejected": "c"}"# + "\n", to: "pairs.jsonl")
      try program.write(
        #"{"text": "a", "label": "b"}"# + "\n" + #"{"text": "b", "label": "c"}"# + "\n",
        to: "labels.jsonl")
      if arguments[0] != "pretrain" {
        let result = try program.run(["pretrain", "t5.yaml", "--set", "steps=1"])
        #expect(result.code == 0, "\(result.errors)")
      }
      if arguments[0] == "finetune" || arguments[0] == "align" {
        let data = arguments.contains("task=classification") ? "labels" : "pairs"
        arguments.insert(
          contentsOf: [
            "--set", "model.from=t5", "--set", "data.train=\(data).jsonl", "--set",
            "data.validation=0",
          ], at: 1)
      }
      let result = try program.run(arguments)
      #expect(result.code == 2, "\(result.errors)")
      #expect(result.errors.contains(word) && !result.errors.contains("Fatal"), "\(result.errors)")
    }
  }

  /// The data that a run built is shown with the tokenizer in its checkpoints, and text too short to
  /// validate on is told from that to train on.
  @Test func theDataOfARunHaveItsTokenizer() throws {
    try withT5 { program in
      let run = ["pretrain", "t5.yaml", "--threads", "1", "--set", "steps=2", "--set"]
      #expect(try program.run(run + ["checkpoint.every=2"]).code == 0)
      let shown = try program.run(["data", "inspect", "t5/data", "--documents", "1"])
      #expect(shown.code == 0 && shown.output.contains("word3 word4"), "\(shown)")
      let other = try program.run(["data", "inspect", "t5/data", "--tokenizer", "bytes"])
      #expect(other.code == 2 && other.errors.contains("another tokenizer than bytes"), "\(other)")
      let files = FileManager.default
      try files.copyItem(atPath: "\(program.folder)/t5/data", toPath: "\(program.folder)/alone")
      let alone = try program.run(["data", "inspect", "alone"])
      #expect(alone.code == 2 && alone.errors.contains("give it with --tokenizer"), "\(alone)")
      let given = try program.run(["data", "inspect", "alone", "--tokenizer", "tokenizer"])
      #expect(given.code == 0 && given.output.contains("word3 word4"), "\(given)")

      try program.write("word1 word2", to: "short.txt")
      let short = try program.run(run + ["run=short", "--set", "data.validation=short.txt"])
      #expect(short.code == 2 && short.errors.contains("the validation text has"), "\(short)")
    }
  }
}
