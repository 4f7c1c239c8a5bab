import Foundation
import Testing

/// Every command with every kind of model, alone, under `mpirun` and in a recipe: it works, or it is
/// refused with one sentence and exit code 2.
@Suite(.serialized) struct CommandMatrixTests {
  /// A command line with a model in place of `MODEL`, or its tokenizer in place of `TOKENIZER`.
  private struct Command {
    let words: [String]
    /// The models with which it works.
    let models: [String]
    /// A part of the sentence that refuses the others.
    var refusal = "holds a"
    var isCollective = false

    func arguments(_ model: String) -> [String] {
      words.map {
        $0.replacing("TOKENIZER", with: "m/\(model)/checkpoints/step-00000002")
          .replacing("MODEL", with: "m/\(model)").replacing("NAME", with: model)
      }
    }
  }

  private static let kinds = [
    "base", "chat", "lora", "classes", "values", "tags", "judge", "bert", "t5",
  ]

  private static func others(than models: String...) -> [String] {
    kinds.filter { !models.contains($0) }
  }

  private static let commands: [Command] = {
    let generate = ["generate", "MODEL", "Say 1", "--tokens", "2", "--threads", "1"]
    let evaluate = ["evaluate", "MODEL", "--threads", "1"]
    let annotate = ["annotate", "NAME.sqlite", "--tokens", "2", "--threads", "1"]
    return [
      Command(words: generate, models: ["base", "chat", "lora", "t5"]),
      Command(words: generate + ["--chat"], models: ["chat", "lora"], refusal: "apus: m/"),
      Command(
        words: ["embed", "MODEL", "Say", "--threads", "1"], models: others(than: "t5")),
      Command(
        words: evaluate + ["--texts", "corpus.txt"],
        models: ["base", "chat", "lora", "bert", "t5"], isCollective: true),
      Command(
        words: evaluate + ["--records", "talk.jsonl"], models: ["base", "chat", "lora", "t5"],
        refusal: "hold", isCollective: true),
      Command(
        words: evaluate + ["--records", "classes.jsonl"], models: ["classes"], refusal: "apus: ",
        isCollective: true),
      Command(
        words: evaluate + ["--records", "values.jsonl"], models: ["values", "judge"],
        refusal: "apus: ", isCollective: true),
      Command(
        words: evaluate + ["--records", "tags.jsonl"], models: ["tags"], refusal: "hold",
        isCollective: true),
      Command(
        words: evaluate + ["--records", "pairs.jsonl"], models: ["values", "judge"],
        refusal: "hold", isCollective: true),
      Command(words: ["export", "MODEL", "--output", "export-NAME"], models: kinds),
      Command(
        words: ["debug", "dump", "MODEL", "Say", "--output", "NAME.dump", "--threads", "1"],
        models: ["base", "chat", "lora", "bert", "t5"]),
      Command(words: ["model", "inspect", "MODEL"], models: kinds),
      Command(
        words: annotate + ["--model", "MODEL", "--prompts", "prompts.jsonl"],
        models: ["base", "chat", "lora"]),
      Command(
        words: annotate + ["--pairs", "pairs.jsonl", "--annotator", "a", "--reward", "MODEL"],
        models: ["values", "judge"], refusal: "apus: m/"),
      Command(words: ["tokenizer", "encode", "Say", "--tokenizer", "TOKENIZER"], models: kinds),
      Command(
        words: ["data", "inspect", "talk.jsonl", "--tokenizer", "TOKENIZER"],
        models: others(than: "base", "bert", "t5"), refusal: "has no chat template"),
    ]
  }()

  /// Trains one small model of every kind, in one process.
  private static let recipe: String = {
    let sizes = "layers: 1, heads: 2, width: 16, context: 64"
    let run = """
      batch: { microBatches: 2, sequences: 2 }, steps: 2, schedule: { warmup: 1 }
      """
    func stage(_ name: String, _ phase: String, _ keys: String) -> String {
      "  - { name: \(name), phase: \(phase), keys: { \(keys), \(run) } }"
    }
    func tuned(
      _ name: String, _ data: String, from: String, _ keys: String, phase: String = "finetune"
    ) -> String {
      stage(
        name, phase,
        "model: { from: \"${\(from)}\" }, data: { train: \(data).jsonl, validation: 0 }\(keys)")
    }
    let corpus = "data: { train: corpus.txt, validation: 0 }"
    let (words, pieces) = ("tokenizer: \"${words}\"", "tokenizer: \"${pieces}\"")
    return """
      run: m
      stages:
        - name: words
          command: tokenizer train corpus.txt --kind wordpiece --vocabulary 90 --output ${words}
        - name: pieces
          command: tokenizer train corpus.txt --kind unigram --vocabulary 60 --output ${pieces}
      \(stage("base", "pretrain", "model: { \(sizes) }, \(corpus)"))
      \(stage("bert", "pretrain", "model: { family: bert, \(sizes) }, \(words), \(corpus)"))
      \(stage("t5", "pretrain", "model: { family: t5, \(sizes) }, \(pieces), \(corpus)"))
      \(tuned("chat", "talk", from: "base", ""))
      \(tuned("lora", "talk", from: "base", ", lora: { rank: 2 }"))
      \(tuned("classes", "classes", from: "bert", ", task: classification"))
      \(tuned("values", "values", from: "bert", ", task: regression"))
      \(tuned("tags", "tags", from: "bert", ", task: tokens"))
      \(tuned("judge", "pairs", from: "base", "", phase: "reward"))
      """
  }()

  /// Runs `body` with a program in a folder with the models and the files of the commands.
  private static func withModels(_ body: (Program) throws -> Void) throws {
    let program = try Program()
    defer { program.remove() }
    func lines(_ line: (Int) -> String) -> String {
      (0..<24).map(line).joined(separator: "\n")
    }
    try program.write(String(Program.corpus.prefix(3000)), to: "corpus.txt")
    try program.write(
      lines {
        #"{"messages":[{"role":"user","content":"Say \#($0)"},"#
          + #"{"role":"assistant","content":"bird \#($0)"}]}"#
      }, to: "talk.jsonl")
    try program.write(
      lines { #"{"text":"bird \#($0)","label":"\#($0 % 2 == 0 ? "even" : "odd")"}"# },
      to: "classes.jsonl")
    try program.write(
      lines { #"{"text":"bird \#($0)","label":\#($0 % 5)}"# }, to: "values.jsonl")
    try program.write(
      lines { _ in #"{"tokens":["bird","Line"],"tags":["B-A","O"]}"# }, to: "tags.jsonl")
    try program.write(Program.pairs(24), to: "pairs.jsonl")
    try program.write(#"{"prompt":"Say 1"}"#, to: "prompts.jsonl")
    try program.write(recipe, to: "models.yaml")
    let made = try program.run(["run", "models.yaml", "--threads", "1"])
    guard made.code == 0 else { throw Program.PreparationFailure(errors: made.errors) }
    try body(program)
  }

  /// Removes what a command wrote, so that it can run again.
  private static func removeOutputs(_ program: Program) throws {
    for name in program.names(in: ".")
    where name.hasPrefix("export-") || name.hasSuffix(".dump") || name.contains(".sqlite") {
      try FileManager.default.removeItem(atPath: "\(program.folder)/\(name)")
    }
  }

  /// Alone, all cells that are refused and one of every command that works; the others run as the
  /// stages of a recipe.
  @Test func everyCommandWorksOrRefusesEveryModel() throws {
    try Self.withModels { program in
      var outputs: [[String]: String] = [:]
      var cells = 0
      for command in Self.commands {
        for kind in Self.kinds.filter({ !command.models.dropFirst().contains($0) }) {
          let arguments = command.arguments(kind)
          try Self.removeOutputs(program)
          let result = try program.run(arguments)
          cells += 1
          if command.models.contains(kind) {
            #expect(result.code == 0 && !result.output.isEmpty, "\(arguments): \(result)")
            outputs[arguments] = result.output
          } else {
            #expect(result.code == 2 && result.output.isEmpty, "\(arguments): \(result)")
            let lines = result.errors.split(separator: "\n")
            #expect(lines.count == 1 && lines[0].contains(command.refusal), "\(result.errors)")
            let written = program.names(in: ".").filter { $0.contains(kind) && !$0.hasPrefix("m") }
            #expect(written.allSatisfy { $0.hasSuffix(".jsonl") }, "\(arguments): \(written)")
          }
        }
      }
      #expect(cells == 88)
      try expectSameOutputs(outputs, program)
    }
  }

  /// Under `mpirun` and in recipes, commands print once what they print alone, and collective ones
  /// refuse without waiting for each other.
  private func expectSameOutputs(_ outputs: [[String]: String], _ program: Program) throws {
    let ranks = Program.mpirun == nil ? [nil] : [nil, 2]
    for command in Self.commands where Program.mpirun != nil {
      let oversubscribe = command.isCollective ? ["--oversubscribe"] : []
      // A model with which it works and, for a collective command, one that it refuses.
      let refused = Self.kinds.first { !command.models.contains($0) }
      let kinds = [command.models[0]] + (command.isCollective ? [refused ?? "base"] : [])
      for kind in kinds {
        let arguments = command.arguments(kind)
        try Self.removeOutputs(program)
        let result = try program.run(underMPI: arguments + oversubscribe, ranks: 2)
        #expect(
          result.code == (command.models.contains(kind) ? 0 : 2)
            && result.output == outputs[arguments] ?? "", "\(arguments): \(result)")
        #expect(
          command.models.contains(kind)
            || result.errors.components(separatedBy: "apus: ").count == 2, "\(result.errors)")
      }
    }
    // All cells that work, as the stages of one recipe; the dry run accepts it.
    let cells = Self.commands.flatMap { command in command.models.map { command.arguments($0) } }
    let stages = cells.enumerated().map { index, words in
      "  - { name: s\(index), command: [\(words.map { "\"\($0)\"" }.joined(separator: ", "))] }"
    }
    var expected: String?
    for ranks in ranks {
      try Self.removeOutputs(program)
      let run = "r\(ranks ?? 1)"
      let yaml = (["run: \(run)", "stages:"] + stages).joined(separator: "\n")
      try program.write(yaml, to: "\(run).yaml")
      let plan = try program.run(["run", "\(run).yaml", "--dry-run"], ranks: ranks)
      #expect(plan.code == 0, "\(plan)")
      let result = try program.run(["run", "\(run).yaml", "--threads", "1"], ranks: ranks)
      #expect(result.code == 0, "\(result.errors)")
      for (arguments, output) in outputs {
        #expect(result.output.contains(output), "\(arguments): \(result.output)")
      }
      #expect(result.output == expected ?? result.output, "\(result.output)")
      expected = result.output
    }
    // Cells that are refused end the recipe in the same way.
    for (words, ranks) in [
      ("evaluate m/classes --texts corpus.txt", ranks.last ?? nil),
      ("generate m/bert 'Say 1'", ranks.last ?? nil), ("evaluate m/bert --records talk.jsonl", nil),
    ] {
      try program.write("run: x\nstages: [{ name: a, command: \"\(words)\" }]", to: "x.yaml")
      let result = try program.run(["run", "x.yaml", "--threads", "1"], ranks: ranks)
      #expect(result.code == 2 && result.errors.contains("holds a"), "\(result)")
    }
  }
}

extension Program {
  /// Runs `apus` under `mpirun` without further options.
  fileprivate func run(underMPI arguments: [String], ranks: Int) throws -> Result {
    let mpirun = try #require(Program.mpirun)
    let (process, output, errors) = try start(
      mpirun, ["--oversubscribe", "-np", "\(ranks)", Program.executable] + arguments)
    return Program.finish(process, output, errors)
  }
}
