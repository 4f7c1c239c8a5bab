import Foundation
import Testing

/// BERT from the command line: a tokenizer, pretraining on masked tokens, heads, embeddings.
@Suite(.serialized) struct BERTTests {
  private func withBERT(_ body: (Program) throws -> Void) throws {
    try Program.withWords(
      "bert", model: "family: bert, initialStd: 0.1", tokenizer: "wordpiece", body)
  }

  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: ["fp32", "bf16"])
  func bitsDoNotDependOnRanksOrThreads(precision: String) throws {
    try withBERT { try $0.expectSameBits("bert", precision: precision) }
  }

  /// The heads of an encoder: text classes, word tags, and rewards with LoRA.
  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func bitsOfTaskHeadsDoNotDependOnRanksOrThreads() throws {
    try withBERT { program in
      let pretrained = try program.run([
        "pretrain", "bert.yaml", "--threads", "1", "--set", "steps=4", "--set",
        "checkpoint.every=4",
      ])
      #expect(pretrained.code == 0, "\(pretrained.errors)")
      let kinds = ["labels", "tags", "pairs"]
      let records: [(Int) -> String] = [
        { #"{"text": "word\#($0 % 5) word\#($0 % 3)", "label": "\#($0 % 2 == 0 ? "a" : "b")"}"# },
        {
          #"{"tokens": ["word\#($0 % 5)", "word9"], "tags": ["\#($0 % 2 == 0 ? "X" : "Y")", "O"]}"#
        },
        { #"{"prompt": "word\#($0)", "chosen": "word1 word2", "rejected": "word\#($0 % 7 + 3)"}"# },
      ]
      for (kind, record) in zip(kinds, records) {
        try program.write((0..<24).map(record).joined(separator: "\n") + "\n", to: "\(kind).jsonl")
      }
      let commands = [
        ["finetune", "--set", "task=classification", "--set", "data.train=labels.jsonl"],
        ["finetune", "--set", "task=tokens", "--set", "data.train=tags.jsonl"],
        ["reward", "--set", "lora.rank=4", "--set", "data.train=pairs.jsonl"],
      ]
      for (kind, command) in zip(kinds, commands) {
        var bits: Set<Data?> = []
        for (ranks, threads) in [(1, 1), (1, 2), (2, 1), (4, 1)] {
          let run = "\(kind)-\(ranks)x\(threads)"
          let result = try program.run(
            command + [
              "--set", "model.from=bert", "--set", "run=\(run)", "--threads", "\(threads)",
              "--oversubscribe", "--set", "data.validation=0", "--set", "steps=5", "--set",
              "checkpoint.every=5", "--set", "schedule.warmup=1", "--set", "batch.microBatches=4",
              "--set", "batch.sequences=2",
            ], ranks: ranks)
          #expect(result.code == 0, "\(result.errors)")
          let folder = "\(run)/checkpoints/step-00000005"
          let name = program.names(in: folder).first { $0.hasSuffix("model.safetensors") }
          bits.insert(program.read("\(folder)/\(name ?? "")"))
        }
        #expect(bits.count == 1 && !bits.contains(nil), "\(kind)")
      }
    }
  }

  /// The figures of one model in the output of `apus evaluate --json`.
  private static func figures(_ result: Program.Result) throws -> [String: Double] {
    let line = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    return (line as? [String: Any])?["figures"] as? [String: Double] ?? [:]
  }

  @Test func anEncoderPretrainsFineTunesAndEmbeds() throws {
    try withBERT { program in
      let pretrained = try program.run([
        "pretrain", "bert.yaml", "--threads", "1", "--set", "steps=300", "--set",
        "model.dropout=0", "--set", "checkpoint.every=300",
      ])
      #expect(pretrained.code == 0, "\(pretrained.errors)")
      let evaluated = try program.run(["evaluate", "bert", "--texts", "text.txt", "--json"])
      #expect(evaluated.code == 0, "\(evaluated.errors)")
      let loss = try #require(Self.figures(evaluated)["maskedLoss"])
      // Without the context of a word the lowest possible loss is 3.1.
      #expect(loss < 2.3)

      let records = (0..<120).map { index in
        let kind = index % 2
        let text = (0..<6).map { "word\(kind * 9 + (index + $0) % 5)" }.joined(separator: " ")
        return #"{"label": "\#(kind == 0 ? "low" : "high")", "text": "\#(text)"}"#
      }
      try program.write(records.joined(separator: "\n") + "\n", to: "labels.jsonl")
      let tuning = [
        "finetune", "--set", "model.from=bert", "--set", "data.validation=0.2", "--set", "steps=40",
        "--set", "optimizer.learningRate=5e-3", "--set", "batch.sequences=8", "--set",
        "schedule.warmup=2", "--threads", "1",
      ]
      let classifier =
        tuning + ["--set", "task=classification", "--set", "data.train=labels.jsonl"]
      for more in [["--set", "run=whole"], ["--set", "run=lora", "--set", "lora.rank=4"]] {
        let tuned = try program.run(classifier + more)
        #expect(tuned.code == 0, "\(tuned.errors)")
        let measured = try program.run([
          "evaluate", String(more[1].dropFirst(4)), "--records", "labels.jsonl", "--json",
        ])
        let accuracy = try #require(Self.figures(measured)["accuracy"])
        #expect(accuracy > 0.9, "\(more) \(measured.errors)")
      }

      let tagged = (0..<120).map { index in
        let words = (0..<5).map { "word\((index + $0 * $0) % 20)" }
        let tags = words.map { Int($0.dropFirst(4)).map { $0 % 2 == 0 } ?? false ? "B-EVEN" : "O" }
        return #"{"tokens": \#(words), "tags": \#(tags)}"#
      }
      try program.write(tagged.joined(separator: "\n") + "\n", to: "tags.jsonl")
      let tuned = try program.run(
        tuning + [
          "--set", "task=tokens", "--set", "data.train=tags.jsonl", "--set", "run=tokenClassifier",
        ])
      #expect(tuned.code == 0, "\(tuned.errors)")
      let measured = try program.run([
        "evaluate", "tokenClassifier", "--records", "tags.jsonl", "--json",
      ])
      let figures = try Self.figures(measured)
      #expect(figures["accuracy"] ?? 0 > 0.95 && figures["spanF1"] ?? 0 > 0.9, "\(figures)")

      let embedded = try program.run(["embed", "bert", "word1 word2", "word2 word1", "--cosines"])
      #expect(embedded.code == 0, "\(embedded.errors)")
      let rows = embedded.output.split(separator: "\n").map {
        $0.split(separator: " ").compactMap { Double($0) }
      }
      #expect(rows.count == 2 && rows[0][0] == 1 && rows[0][1] == rows[1][0] && rows[0][1] < 1)
    }
  }

  /// Commands and keys that do not apply to an encoder fail with a sentence.
  @Test(arguments: [
    (["generate", "bert", "word1"], "masked language model"),
    (
      [
        "finetune", "--set", "model.from=bert", "--set", "data.train=chat.jsonl", "--set",
        "data.validation=0",
      ], "masked language model"
    ),
    (["pretrain", "bert.yaml", "--set", "tokenizer=bytes"], "[MASK]"),
    (["pretrain", "bert.yaml", "--set", "data.documentMask=true"], "data.documentMask"),
    (["pretrain", "bert.yaml", "--set", "model.kvHeads=1"], "model.kvHeads"),
    (["pretrain", "bert.yaml", "--set", "model.tied=false"], "model.tied"),
    (["pretrain", "run.yaml", "--set", "mask.rate=0.3"], "mask.rate"),
    (["embed", "bert", "word1", "--pooling", "pooled"], "pooler"),
  ])
  func unsupportedUseFailsWithASentence(arguments: [String], word: String) throws {
    try withBERT { program in
      try program.write(
        #"{"prompt": "a", "completion": "b"}"# + "\n", to: "chat.jsonl")
      if arguments.contains("bert") || arguments.contains("model.from=bert") {
        let result = try program.run(["pretrain", "bert.yaml", "--set", "steps=1"])
        #expect(result.code == 0, "\(result.errors)")
      }
      let result = try program.run(arguments)
      #expect(result.code == 2, "\(result.errors)")
      #expect(result.errors.contains(word) && !result.errors.contains("Fatal"), "\(result.errors)")
    }
  }
}
