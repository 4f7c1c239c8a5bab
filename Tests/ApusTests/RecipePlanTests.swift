import Foundation
import Testing

/// `apus run --dry-run`: the sizes and times of a recipe before any of its stages has run.
@Suite(.serialized) struct RecipePlanTests {
  private let recipe = """
    run: road
    stages:
      - name: ids
        command: tokenizer train corpus.txt --vocabulary 300 --output ${ids}
      - name: base
        phase: pretrain
        keys:
          tokenizer: ${ids}
          model: { family: llama, layers: 2, heads: 2, width: 16, context: 64 }
          data: { train: corpus.txt }
          batch: { microBatches: 2, sequences: 2 }
          steps: 4
          schedule: { warmup: 1 }
          evaluate: { tokens: 256 }
      - name: chat
        phase: finetune
        keys:
          model: { from: "${base}" }
          data: { train: talk.jsonl }
          lora: { rank: 2 }
          batch: { microBatches: 2, sequences: 2 }
          steps: 4
          schedule: { warmup: 1 }
      - name: judge
        phase: reward
        keys:
          model: { from: "${base}" }
          data: { train: pairs.jsonl }
          batch: { microBatches: 2, sequences: 2 }
          steps: 4
          schedule: { warmup: 1 }
      - name: aligned
        phase: align
        keys:
          model: { from: "${chat}" }
          data: { train: talk.jsonl }
          reward: { model: "${judge}", allowUnfit: true }
          rollouts: { prompts: 4, tokens: 8 }
          policy: { epochs: 1 }
          batch: { microBatches: 2, sequences: 2 }
          steps: 4
          schedule: { warmup: 1 }
    """

  /// The cells of the plan's rows by the name of the stage.
  private func rows(_ result: Program.Result) -> [String: [String]] {
    var rows: [String: [String]] = [:]
    for line in result.output.split(separator: "\n").dropFirst().prefix(5) {
      let cells = line.components(separatedBy: "  ").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      .filter { !$0.isEmpty }
      rows[cells[0]] = cells
    }
    return rows
  }

  private func write(to program: Program) throws {
    try program.write(recipe, to: "road.yaml")
    try program.write(Program.talk, to: "talk.jsonl")
    let pairs = (0..<60).map {
      #"{"prompt":"Say \#($0)","chosen":"bird \#($0)","rejected":"\#($0) o'clock"}"#
    }
    try program.write(pairs.joined(separator: "\n"), to: "pairs.jsonl")
  }

  @Test(arguments: Program.mpirun == nil ? [nil] : [nil, 2])
  func theDryRunReportsTheSizesOfEveryPhase(ranks: Int?) throws {
    try Program.withCorpus { program in
      try write(to: program)
      let before = try program.contents()
      let plan = try program.run(
        ["run", "road.yaml", "--dry-run", "--threads", "1"], ranks: ranks)
      #expect(plan.code == 0 && plan.errors.isEmpty, "\(plan)")
      #expect(try program.contents() == before)
      let planned = rows(plan)
      for name in ["base", "chat", "judge", "aligned"] {
        let row = planned[name] ?? []
        #expect(row.count == 8 && row[2] == "to do" && row[5] == "4", "\(row)")
        #expect(row.last?.hasPrefix("≈ 0:") == true && row.contains { $0.hasSuffix("MiB") })
      }
      #expect(plan.output.contains("of training remains. Times are estimates"), "\(plan)")

      // The planned sizes are those of the trained models.
      let run = try program.run(["run", "road.yaml", "--threads", "1"], ranks: ranks)
      #expect(run.code == 0, "\(run.errors)")
      let counts = run.errors.components(separatedBy: " trained parameters, ").dropLast().map {
        String($0.split(whereSeparator: \.isWhitespace).last ?? "")
      }
      let expected = ["base", "chat", "judge", "aligned"].map { name in
        String(planned[name]?[4].split(separator: " ").first ?? "")
      }
      #expect(counts == expected, "\(counts) \(expected)")
      let after = try program.run(
        ["run", "road.yaml", "--dry-run", "--threads", "1"], ranks: ranks)
      for (name, row) in rows(after) where row.count > 4 {
        #expect(row[2] == "done" && row[4] == planned[name]?[4] && row.count == 7, "\(row)")
      }
    }
  }

  /// The estimate is within a factor of 5 of the fastest step times the number of steps.
  @Test func theEstimatedTimeMatchesTheMeasuredSteps() throws {
    try Program.withCorpus { program in
      try write(to: program)
      let long = recipe.replacing("steps: 4", with: "steps: 100000", maxReplacements: 1)
      try program.write(
        long.replacing("evaluate: {", with: "evaluate: { every: 0,"), to: "long.yaml")
      let plan = try program.run(["run", "long.yaml", "--dry-run", "--threads", "1"])
      let cell = try #require(rows(plan)["base"]?.last)
      let seconds = cell.dropFirst(2).split(separator: ":").reduce(0.0) {
        60 * $0 + (Double($1) ?? .nan)
      }
      for stage in ["ids", "base"] {
        let run = try program.run(["run", "road.yaml", "--only", stage, "--threads", "1"])
        #expect(run.code == 0, "\(run.errors)")
      }
      let steps = try program.figures("road/base").compactMap { $0["secondsPerStep"] as? Double }
      let fastest = try #require(steps.min()) * 100_000
      #expect(seconds > fastest / 5 && seconds < fastest * 5, "\(seconds) \(fastest)")
    }
  }

  /// A folder that a command must not find is set aside when the stage that wrote it runs again.
  @Test func aStageThatExportsRunsAgain() throws {
    try Program.withModel { program in
      try program.write(
        """
        run: road
        stages:
          - name: out
            command: export base --output ${out}
          - name: other
            command: export ${out} --output elsewhere
        """, to: "exports.yaml")
      let run = ["run", "exports.yaml", "--threads", "1"]
      #expect(try program.run(run).code == 0)
      let again = try program.run(run + ["--only", "out"])
      #expect(again.code == 0, "\(again.errors)")
      #expect(again.errors.contains("road/out is now road/out.before-1"), "\(again.errors)")
      for folder in ["out", "out.before-1"] {
        #expect(program.read("road/\(folder)/config.json") != nil)
      }
      // A folder elsewhere may be the user's own.
      let other = try program.run(run + ["--from", "other"])
      #expect(other.code == 2 && other.errors.contains("elsewhere exists already"), "\(other)")
    }
  }

  @Test func aModelThatACommandWillMakeHasNoSizes() throws {
    try Program.withCorpus { program in
      try write(to: program)
      try program.write("", to: "base/config.json")
      try program.write(
        """
        run: road
        stages:
          - name: model
            command: export base --output ${model}
          - name: chat
            phase: finetune
            keys: { model: { from: "${model}" }, data: { train: talk.jsonl } }
        """, to: "later.yaml")
      let plan = try program.run(["run", "later.yaml", "--dry-run"])
      #expect(plan.code == 0, "\(plan.errors)")
      #expect(plan.output.contains("finetune"), "\(plan.output)")
      // Files that neither exist nor come from an earlier stage are refused, before any stage runs.
      for (command, data, word) in [
        ("export base --output ${model}", "none.jsonl", "none.jsonl"),
        ("export nothing --output ${model}", "talk.jsonl", "nothing"),
        ("data inspect 'none/*.jsonl'", "talk.jsonl", "none/*.jsonl"),
        ("export base --output ${model}-elsewhere", "talk.jsonl", "road/model"),
        ("evaluat base", "talk.jsonl", "did you mean apus evaluate"),
        ("echo hello", "talk.jsonl", "no subcommand apus echo"),
        ("generate base --nonsense", "talk.jsonl", "--nonsense"),
        ("generate base 'Once upon", "talk.jsonl", "has no end"),
        ("tokenizer", "talk.jsonl", "not complete"), ("export --help", "talk.jsonl", "only prints"),
        ("pretrain x.yaml", "talk.jsonl", "write phase: pretrain"),
        ("run later.yaml", "talk.jsonl", "its stages here"),
      ] {
        try program.write(
          """
          run: road
          stages:
            - name: model
              command: \(command)
            - name: chat
              phase: finetune
              keys: { model: { from: "${model}" }, data: { train: \(data) } }
          """, to: "bad.yaml")
        for more in [["--dry-run"], []] {
          let bad = try program.run(["run", "bad.yaml"] + more)
          #expect(bad.code == 2 && bad.output.isEmpty && bad.errors.contains(word), "\(bad)")
          #expect(bad.errors.split(separator: "\n").count == 1, "\(bad)")
        }
      }
      // The plan refuses a model that no stage makes.
      try program.write(
        """
        run: road
        stages:
          - name: chat
            phase: finetune
            keys: { model: { from: nowhere }, data: { train: talk.jsonl } }
        """, to: "never.yaml")
      let refused = try program.run(["run", "never.yaml", "--dry-run"])
      #expect(refused.code == 2 && refused.errors.contains("nowhere"), "\(refused)")
      #expect(program.names(in: "road").isEmpty)
    }
  }
}
