import Foundation
import Testing

/// Invalid records and models of a phase: one sentence, exit code 2, no files left over.
@Suite(.serialized) struct PhaseInputTests {
  private struct Case {
    let name: String
    let arguments: [String]
    let words: [String]
  }

  private func write(to program: Program) throws {
    let good = #"{"prompt":"a","completion":"b"}"#
    let pair = #"{"prompt":"a","chosen":"b","rejected":"c"}"#
    let long = String(repeating: "x", count: 80)
    for (name, lines) in [
      "malformed": [good, #"{"prompt":"a","comp"#, good],
      "empty": [good, #"{"prompt":"a","completion":" "}"#],
      "equal": [pair, #"{"prompt":"a","chosen":"b","rejected":"b"}"#],
      "long": [good, #"{"prompt":"\#(long)","completion":"b"}"#],
      "endless": [#"{"prompt":"a","completion":"\#(long)"}"#],
      "cut": [pair, #"{"prompt":"a","chosen":"\#(long)","rejected":"b"}"#],
      "labels": [#"{"text":"a","label":"x"}"#, #"{"text":"b","label":"y"}"#],
      "other": [#"{"text":"a","label":"x"}"#, #"{"text":"b","label":"w"}"#],
      // 56 tokens with the line feed after it; 8 more fill the context of 64.
      "full": [#"{"prompt":"\#(String(repeating: "x", count: 55))"}"#],
    ] {
      try program.write(lines.joined(separator: "\n"), to: "\(name).jsonl")
    }
  }

  private func finetune(_ file: String, _ settings: String..., from: String = "base") -> [String] {
    ["finetune"] + Program.short("new", from: from, "data.train=\(file).jsonl")
      + settings.flatMap { ["--set", $0] }
  }

  private func reward(_ file: String, _ settings: String..., from: String = "base") -> [String] {
    ["reward"] + Program.short("new", from: from, "data.train=\(file).jsonl")
      + settings.flatMap { ["--set", $0] }
  }

  private func align(_ settings: String...) -> [String] {
    Program.shortAlignment("new") + settings.flatMap { ["--set", $0] }
  }

  private var records: [Case] {
    [
      Case(
        name: "malformed", arguments: finetune("malformed"),
        words: ["malformed.jsonl:2 cannot be read", "data.skipBad: true"]),
      Case(
        name: "empty answer", arguments: finetune("empty"),
        words: ["empty.jsonl:2 has an empty answer", "data.skipBad: true"]),
      Case(
        name: "equal sides", arguments: reward("equal"),
        words: ["equal.jsonl:2 has the same answer", "data.skipBad: true"]),
      Case(
        name: "equal sides, dpo",
        arguments: ["align"] + Program.short("new", "data.train=equal.jsonl", "method=dpo"),
        words: ["equal.jsonl:2 has the same answer"]),
      Case(
        name: "all bad", arguments: finetune("labels", "data.skipBad=true"),
        words: ["no record is left", "2 were left out", "a labelled text"]),
      Case(
        name: "another kind", arguments: finetune("labels"),
        words: ["labels.jsonl:1 holds a labelled text", "name other files."]),
      Case(
        name: "long prompt", arguments: finetune("long"),
        words: ["long.jsonl:2 has a prompt of 81 tokens", "context of 64", "data.skipBad"]),
      Case(
        name: "long prompt to be answered",
        arguments: align("reward.rule=a", "data.train=full.jsonl", "rollouts.tokens=9"),
        words: ["full.jsonl:1 has a prompt of 56 tokens", "an answer of 9 tokens"]),
      Case(
        name: "room for the reward model",
        arguments: align(
          "reward.model=judge", "reward.allowUnfit=true", "data.train=full.jsonl"),
        words: ["full.jsonl:1 has a prompt of 56 tokens", "an answer of 8 tokens"]),
      Case(
        name: "mask", arguments: finetune("endless", "data.truncate=true"),
        words: ["never includes the end of a turn", "1 example was cut"]),
      Case(
        name: "all too long", arguments: finetune("endless"),
        words: ["the only example is longer than the context of 64"]),
      Case(
        name: "cut pairs", arguments: reward("cut", "data.truncate=true"),
        words: ["data.truncate", "a truncated pair"]),
      Case(
        name: "class", arguments: finetune("other", "task=classification", "data.classes=[x,y]"),
        words: [#"other.jsonl:2 has the label "w""#, #""x", "y""#, "data.skipBad: true"]),
      Case(
        name: "class of a classifier",
        arguments: finetune("other", "task=classification", from: "classifier"),
        words: [#"other.jsonl:2 has the label "w""#, #""x", "y""#]),
      Case(
        name: "classes of a classifier",
        arguments: finetune(
          "other", "task=classification", "data.classes=[w,x]", from: "classifier"),
        words: ["data.classes", "classifier", "x, y"]),
    ]
  }

  private var models: [Case] {
    [
      Case(
        name: "classifier that is to talk", arguments: finetune("talk", from: "classifier"),
        words: ["classifier", "a sequence classifier (labels: x, y)", "a language model is needed"]),
      Case(
        name: "classifier that is to judge", arguments: reward("pairs", from: "classifier"),
        words: ["classifier", "a sequence classifier (labels: x, y)", "(labels: reward) is needed"]),
      Case(
        name: "key tokenizer", arguments: finetune("talk", "tokenizer=bytes"),
        words: ["no key tokenizer"]),
      Case(
        name: "another tokenizer, finetune", arguments: finetune("talk", from: "swapped"),
        words: ["the tokenizer in swapped has 318 ids", "vocabulary has 257"]),
      Case(
        name: "another tokenizer, reward", arguments: reward("pairs", from: "swapped"),
        words: ["the tokenizer in swapped"]),
      Case(
        name: "another tokenizer, align",
        arguments: align("model.from=swapped", "reward.rule=a"), words: ["the tokenizer in swapped"]
      ),
      Case(
        name: "a reward model's tokenizer",
        arguments: align("reward.model=foreign", "reward.allowUnfit=true"),
        words: ["reward.model", "its tokenizer differs from that of base"]),
      Case(
        name: "unfit", arguments: align("reward.model=judge"),
        words: ["its verdict is unfit", "too few", "reward.allowUnfit: true"]),
      Case(
        name: "no verdict", arguments: align("reward.model=unjudged"),
        words: ["have no verdict", "apus reward", "reward.allowUnfit: true"]),
      Case(
        name: "language model as reward model",
        arguments: align("reward.model=base", "reward.allowUnfit=true"),
        words: ["reward.model", "holds a language model"]),
      Case(
        name: "classifier as reward model",
        arguments: align("reward.model=classifier", "reward.allowUnfit=true"),
        words: ["reward.model", "a classifier of 2 classes"]),
      Case(name: "no reward", arguments: align(), words: ["grpo needs rewards"]),
      Case(
        name: "LoRA pattern", arguments: finetune("talk", "lora.rank=2", "lora.targets=[q]"),
        words: ["LoRA pattern q", "c_attn"]),
    ]
  }

  /// Makes a model of every kind that a user may give to a phase by mistake.
  private func makeModels(_ program: Program) throws {
    try program.write(Program.yaml("tokenizer: ids"), to: "foreign.yaml")
    let settings = Program.short("foreign", from: "foreign-base", "data.train=pairs.jsonl")
    for arguments in [
      ["finetune"]
        + Program.short("classifier", "data.train=labels.jsonl", "task=classification"),
      ["reward"] + Program.short("judge", "data.train=pairs.jsonl", "data.validation=0.3"),
      ["reward"] + Program.short("unjudged", "data.train=pairs.jsonl"),
      ["export", "base", "--output", "swapped"],
      ["tokenizer", "train", "corpus.txt", "--vocabulary", "400", "--output", "ids"],
      ["pretrain", "foreign.yaml", "--set", "run=foreign-base"], ["reward"] + settings,
    ] {
      let result = try program.run(arguments)
      #expect(result.code == 0, "\(arguments): \(result.errors)")
    }
    try FileManager.default.removeItem(atPath: "\(program.folder)/unjudged/verdict.json")
    for name in ["tokenizer.json", "tokenizer_config.json"] {
      try program.write(try #require(program.read("ids/\(name)")), to: "swapped/\(name)")
    }
  }

  @Test func everyMistakeFailsWithOneSentence() throws {
    try Program.withModel { program in
      try write(to: program)
      try makeModels(program)
      let before = try program.contents()
      for mistake in records + models {
        let result = try program.run(mistake.arguments)
        #expect(result.code == 2, "\(mistake.name): \(result.errors)")
        for word in mistake.words {
          #expect(result.errors.contains(word), "\(mistake.name): \(result.errors)")
        }
        #expect(
          result.errors.split(separator: "\n").count == 1, "\(mistake.name): \(result.errors)")
        #expect(try program.contents() == before, "\(mistake.name)")
      }
    }
  }

  /// The number of skipped records is logged at the start, and the run trains on the others.
  @Test func skippedRecordsAreCounted() throws {
    try Program.withModel { program in
      try write(to: program)
      for (arguments, words) in [
        (
          finetune("malformed", "data.skipBad=true"),
          ["2 examples", "1 bad record left out", "malformed.jsonl:2 cannot be read"]
        ),
        (
          finetune("empty", "data.skipBad=true"),
          ["1 example", "1 bad record left out", "empty.jsonl:2 has an empty answer"]
        ),
        (
          finetune("long", "data.skipBad=true"),
          ["1 example", "1 bad record left out", "long.jsonl:2 has a prompt of 81 tokens"]
        ),
        (
          reward("equal", "data.skipBad=true"),
          [
            "1 of 2 records", "1 pair of", "1 bad record left out",
            "equal.jsonl:2 has the same answer",
          ]
        ),
        (reward("cut"), ["2 of 2 records", "1 pair of", "1 longer than the context left out"]),
        (
          finetune("other", "task=classification", "data.classes=[x,y]", "data.skipBad=true"),
          ["1 text of", "1 bad record left out", #"the label "w""#]
        ),
      ] {
        let result = try program.run(arguments + ["--resume", "never"])
        #expect(result.code == 0, "\(result.errors)")
        for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
      }
      let measured = try program.run([
        "evaluate", "base", "--records", "malformed.jsonl", "--skip-bad", "--json",
      ])
      #expect(measured.code == 0 && measured.output.contains(#""leftOut":1"#), "\(measured)")
    }
  }

  /// The log counts the records of both sides, and names once what is not used.
  @Test func theLogSaysWhatIsTrained() throws {
    try Program.withModel { program in
      let answers = (1...10).map { #"{"prompt":"a\#($0)","completion":"b","score":\#($0)}"# }
      let pairs = (1...10).map { #"{"prompt":"a\#($0)","chosen":"b","rejected":"c"}"# }
      try program.write(answers.joined(separator: "\n"), to: "answers.jsonl")
      try program.write(pairs.joined(separator: "\n"), to: "ten.jsonl")
      try program.write("", to: "empty.jsonl")
      for (arguments, words) in [
        (
          finetune("answers", "data.validation=0.1", "data.train=[answers.jsonl,empty.jsonl]"),
          [
            "9 of 10 records; 1 held out for validation", "9 examples of",
            "not used: score (10 records)", "1 empty file left out: empty.jsonl",
          ]
        ),
        (
          reward("ten", "data.validation=0.1"),
          ["9 of 10 records; 1 held out for validation", "9 pairs of"]
        ),
        (
          ["align"] + Program.short("new", "data.train=ten.jsonl", "method=dpo"),
          ["10 of 10 records\n", "10 pairs of"]
        ),
      ] {
        let result = try program.run(arguments + ["--resume", "never"])
        #expect(result.code == 0, "\(result.errors)")
        for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
      }
      for arguments in [
        ["evaluate", "base", "--records", "answers.jsonl", "--json"],
        ["annotate", "new.sqlite", "--pairs", "noted.jsonl"],
      ] {
        let pair = #"{"prompt":"p","chosen":"a","rejected":"b","score":1}"#
        try program.write(pair, to: "noted.jsonl")
        let result = try program.run(arguments)
        #expect(result.code == 0 && result.errors.contains("not used: score ("), "\(result)")
      }
      // A margin is used by a reward model alone.
      let margin = #"{"prompt":"a","chosen":"b","rejected":"c","margin":2}"#
      try program.write(margin, to: "margin.jsonl")
      let dpo = ["align"] + Program.short("new", "data.train=margin.jsonl", "method=dpo")
      let refused = try program.run(dpo + ["--resume", "never"])
      #expect(refused.code == 2 && refused.errors.contains(#"the field "margin""#), "\(refused)")
      let ignored = dpo + ["--set", "data.ignoredFields=margin", "--resume", "never"]
      #expect(try program.run(ignored).code == 0)
      #expect(try program.run(reward("margin") + ["--resume", "never"]).code == 0)
    }
  }

  /// Fine-tuning a classifier keeps its classes and its head; an unfit reward model is accepted
  /// when allowed.
  @Test func classifiersAndUnfitRewardModelsAreAcceptedWhenAllowed() throws {
    try Program.withModel { program in
      try write(to: program)
      try makeModels(program)
      for (arguments, run) in [
        (finetune("labels", "task=classification", "run=more", from: "classifier"), "more"),
        (align("reward.model=judge", "reward.allowUnfit=true", "run=taken"), "taken"),
      ] {
        let result = try program.run(arguments)
        #expect(result.code == 0, "\(result.errors)")
        #expect(program.steps(run) == [2])
      }
      // The run starts with the classifier's head, not with a new one.
      let losses = try ["classifier", "more"].map { run in
        try #require(try program.figures(run).compactMap { $0["loss"] as? Double }.first)
      }
      #expect(losses[1] < losses[0])
      let folder = program.checkpoint("more", step: 2)
      let configuration = try JSONSerialization.jsonObject(
        with: try #require(program.read("\(folder)/config.json")))
      let labels = (configuration as? [String: Any])?["id2label"] as? [String: String]
      #expect(labels == ["0": "x", "1": "y"])
    }
  }
}
