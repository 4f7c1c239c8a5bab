import Foundation
import Testing

/// Continued pretraining: a run from a trained model on the texts of another domain.
@Suite struct AdaptationTests {
  /// A run from `base` on other text, with a quarter of its rows from the corpus of the base model.
  private static let yaml = """
    run: run
    model: { from: base, context: 32 }
    data:
      train: [domain.txt]
      replay: { train: [corpus.txt], fraction: 0.25 }
    batch: { microBatches: 4, sequences: 3 }
    steps: 12
    schedule: { warmup: 2 }
    optimizer: { learningRate: 1e-3 }
    checkpoint: { every: 3 }
    evaluate: { every: 6, tokens: 512 }
    """

  /// Runs `body` with a small model and a text unlike its corpus.
  private static func withDomain(
    _ settings: [String] = [], _ body: (Program) throws -> Void
  ) throws {
    try Program.withModel(["steps=60", "optimizer.learningRate=1e-2"] + settings) { program in
      let domain = (0..<500).map {
        "WHEREAS clause \($0 % 11) of the treaty, the parties agree on article \($0 % 23).\n"
      }
      try program.write(domain.joined(), to: "domain.txt")
      try program.write(yaml, to: "adapt.yaml")
      try body(program)
    }
  }

  private func adapt(_ program: Program, _ settings: String...) throws -> Program.Result {
    try program.run(
      ["pretrain", "adapt.yaml", "--threads", "1"] + settings.flatMap { ["--set", $0] })
  }

  /// The evaluations in metrics.jsonl: step, loss on the new domain, and loss on the replayed
  /// corpus.
  private func losses(
    _ run: String, _ program: Program
  ) throws -> [(step: Int, domain: Double, replay: Double)] {
    try program.figures(run).compactMap { line in
      guard let step = line["step"] as? Int, let domain = line["validationLoss"] as? Double else {
        return nil
      }
      return (step, domain, line["replayLoss"] as? Double ?? .nan)
    }
  }

  private func extend(_ program: Program) throws {
    let made = try program.run([
      "tokenizer", "extend", "bytes", "domain.txt", "--tokens", "20", "--output", "extended",
    ])
    #expect(made.code == 0 && made.output.contains("277 entries, 20 of them new"), "\(made)")
  }

  /// Pretrains a base model of the family `bert` or `t5`, with a tokenizer of words or bytes.
  private func makeBase(_ family: String, _ program: Program) throws {
    let learned = try program.run([
      "tokenizer", "train", "corpus.txt", "--kind", "wordpiece", "--vocabulary", "120", "--output",
      "words",
    ])
    #expect(learned.code == 0, "\(learned.errors)")
    let settings = [
      "run=\(family)", "model.family=\(family)", "model.context=64", "steps=4",
      "tokenizer=\(family == "bert" ? "words" : "bytes")",
    ]
    let made = try program.run(["pretrain", "run.yaml"] + settings.flatMap { ["--set", $0] })
    #expect(made.code == 0, "\(made.errors)")
    guard family == "bert" else { return }
    let extended = try program.run([
      "tokenizer", "extend", "words", "domain.txt", "--tokens", "9", "--output", "extended",
    ])
    #expect(extended.code == 0, "\(extended.errors)")
  }

  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: ["gpt2", "llama", "bert", "t5"])
  func bitsDoNotDependOnRanksThreadsOrKills(family: String) throws {
    try Self.withDomain(family == "llama" ? ["model.family=llama"] : []) { program in
      if family == "llama" { try extend(program) }
      if ["bert", "t5"].contains(family) { try makeBase(family, program) }
      var keys = ["bert", "t5"].contains(family) ? ["--set", "model.from=\(family)"] : []
      if ["llama", "bert"].contains(family) { keys += ["--set", "tokenizer=extended"] }
      var hashes: Set<String?> = []
      for (ranks, threads) in [(1, 1), (1, 2), (2, 1), (4, 1)] {
        let run = "run-\(ranks)x\(threads)"
        let result = try program.run(
          ["pretrain", "adapt.yaml", "--threads", "\(threads)", "--set", "run=\(run)"] + keys,
          ranks: ranks)
        #expect(result.code == 0, "\(result.errors)")
        hashes.insert(program.hash(run))
      }
      let killed =
        ["pretrain", "adapt.yaml", "--threads", "1", "--set", "run=killed"] + keys
      let (process, output, errors) = try program.start(killed, ranks: 2)
      Program.wait(for: process) { !program.steps("killed").isEmpty }
      if let victim = Program.children(of: process).last { kill(victim, SIGKILL) }
      let end = Program.finish(process, output, errors)
      #expect([0, 137].contains(end.code), "\(end.errors)")
      let last = try program.run(killed, ranks: 3)
      #expect(last.code == 0, "\(last.errors)")
      hashes.insert(program.hash("killed"))
      #expect(hashes.count == 1 && !hashes.contains(nil), "\(hashes)")
      #expect(program.metrics("killed") == Array(1...12))
    }
  }

  /// Both losses are measured from step 0 on, and replay reduces the rise of the corpus loss.
  @Test func replayReducesForgetting() throws {
    try Self.withDomain { program in
      let keys = ["steps=60", "optimizer.learningRate=5e-3", "evaluate.every=30"]
      for share in ["0", "0.3"] {
        let result = try program.run(
          ["pretrain", "adapt.yaml", "--threads", "1"]
            + (keys + ["run=share-\(share)", "data.replay.fraction=\(share)"])
            .flatMap { ["--set", $0] })
        #expect(result.code == 0, "\(result.errors)")
      }
      let (without, with) = (try losses("share-0", program), try losses("share-0.3", program))
      #expect(without.map(\.step) == [0, 30, 60] && with.map(\.step) == [0, 30, 60])
      // Both runs start from the same model, which has the lower loss on its own corpus.
      #expect(without[0].domain == with[0].domain && without[0].replay == with[0].replay)
      #expect(with[0].replay < 0.7 * with[0].domain, "\(with)")
      for run in [without, with] { #expect(run[2].domain < 0.7 * run[0].domain, "\(run)") }
      #expect(without[2].replay > 1.1 * without[0].replay, "\(without)")
      let rises = [with, without].map { $0[2].replay - $0[0].replay }
      #expect(rises[0] < rises[1] / 2, "\(with), \(without)")
    }
  }

  /// Model, checkpoint and exported tokenizer have the same number of tokens.
  @Test func newTokensOfATokenizerAreTrained() throws {
    try Self.withDomain(["model.family=llama"]) { program in
      try extend(program)
      #expect(try adapt(program, "tokenizer=extended").code == 0)
      let found = try program.run(["model", "inspect", "run"])
      #expect(found.output.contains("277 ids, 277 in the tokenizer"), "\(found)")
      let text = try program.run(["generate", "run", "WHEREAS clause", "--tokens", "5"])
      #expect(text.code == 0, "\(text.errors)")
      #expect(try program.run(["export", "run", "--output", "out"]).code == 0)
      #expect(
        program.read("out/tokenizer.json") == program.read("extended/tokenizer.json"))
    }
  }

  @Test func everyMistakeFailsWithOneSentence() throws {
    try Self.withDomain { program in
      let made = try program.run(
        ["reward"] + Program.short("judge", "data.train=pairs.jsonl"))
      #expect(made.code == 0, "\(made.errors)")
      let before = try program.contents()
      for (settings, words) in [
        (["model.layers=3"], ["model.layers", "the model in base has its own"]),
        (["model.family=llama"], ["model.family", "the model in base has its own"]),
        (["model.vocabulary=300"], ["model.vocabulary", "has its own"]),
        (["model.context=65"], ["model.context", "65 positions exceed the maximum of 64"]),
        (["mask.rate=0.2"], ["mask.rate", "no effect with the model in base"]),
        (["model.from=nowhere"], ["nowhere", "does not exist"]),
        (["model.from=judge"], ["judge", "a reward model", "a language model"]),
        (["data.replay.fraction=1"], ["data.replay.fraction"]),
        (
          ["data.replay.train=[]"], ["data.replay.fraction", "no effect without data.replay.train"]
        ),
        (["data.replay.train=none.txt"], ["none.txt"]),
      ] {
        let result = try program.run(
          ["pretrain", "adapt.yaml", "--threads", "1"] + settings.flatMap { ["--set", $0] })
        #expect(result.code == 2, "\(settings): \(result)")
        for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
        #expect(try program.contents() == before, "\(settings)")
      }
      // A tokenizer that does not extend that of the base model.
      let learned = try program.run(
        ["tokenizer", "train", "domain.txt", "--vocabulary", "300", "--output", "other"])
      #expect(learned.code == 0, "\(learned.errors)")
      let other = try adapt(program, "tokenizer=other")
      #expect(other.code == 2 && other.errors.contains("other is neither"), "\(other)")
      // Nor are the bytes one of a model with a learned tokenizer, whose own is the default.
      let learner = ["pretrain", "adapt.yaml", "--threads", "1", "--set", "steps=2"]
      let scratch = try program.run([
        "pretrain", "--threads", "1", "--set", "tokenizer=other", "--set", "data.train=domain.txt",
        "--set", "run=words", "--set", "steps=2", "--set", "model.width=32", "--set",
        "model.context=32",
      ])
      #expect(scratch.code == 0, "\(scratch.errors)")
      let words = learner + ["--set", "model.from=words", "--set", "run=more"]
      let bytes = try program.run(words + ["--set", "tokenizer=bytes"])
      #expect(bytes.code == 2 && bytes.errors.contains("bytes is neither"), "\(bytes)")
      #expect(try program.run(words).code == 0)
      let again = try program.run(["pretrain", "more/config.yaml", "--threads", "1"])
      #expect(again.code == 0, "\(again.errors)")
    }
  }

  /// A run refuses to resume from different initial weights.
  @Test func resumingFromOtherInitialWeightsIsRefused() throws {
    try Self.withDomain { program in
      #expect(try program.run(["export", "base", "--output", "start"]).code == 0)
      #expect(try adapt(program, "model.from=start", "steps=6").code == 0)
      let weights = try #require(program.read("start/model.safetensors"))
      var changed = weights
      changed[changed.count / 2] ^= 1
      try program.write(changed, to: "start/model.safetensors")
      let before = try program.contents()
      let refused = try adapt(program, "model.from=start", "steps=9")
      #expect(refused.code == 2, "\(refused)")
      for word in ["began with weights of SHA-256", "those in start", "--resume never"] {
        #expect(refused.errors.contains(word), "\(refused.errors)")
      }
      #expect(try program.contents() == before)
      try program.write(weights, to: "start/model.safetensors")
      let resumed = try adapt(program, "model.from=start", "steps=9")
      #expect(resumed.code == 0 && resumed.errors.contains("resuming from"), "\(resumed)")
    }
  }
}
