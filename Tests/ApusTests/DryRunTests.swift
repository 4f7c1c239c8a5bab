import Foundation
import Testing

/// `--dry-run` of the training commands.
@Suite(.serialized) struct DryRunTests {
  private static let finetune = [
    "finetune", "--set", "run=chat", "--set", "model.from=base", "--set", "data.train=talk.jsonl",
    "--set", "data.validation=0", "--set", "batch.microBatches=2", "--set", "batch.sequences=2",
    "--set", "steps=4", "--threads", "1",
  ]

  @Test(arguments: [1, 2]) func aRunIsPlannedAndNothingIsChanged(ranks: Int) throws {
    try Program.withModel { program in
      let before = try program.contents()
      let plan = try program.run(Self.finetune + ["--dry-run"], ranks: ranks)
      #expect(plan.code == 0 && plan.errors.isEmpty, "\(plan)")
      #expect(try program.contents() == before)
      let lines = plan.output.split(separator: "\n").map(String.init)
      let row = try #require(lines.first { $0.hasPrefix("chat  finetune  ") }, "\(plan)")
      #expect(row.contains("  4  ") && row.contains(/MiB +≈ 0:/), "\(plan)")
      #expect(lines.allSatisfy { $0.count <= 100 }, "\(plan)")
      #expect(plan.output.contains("of training remains"), "\(plan)")
      // The planned size is that of the run.
      let run = try program.run(Self.finetune, ranks: ranks)
      let count = run.errors.firstMatch(of: /([0-9]+) trained parameters/).map { String($0.1) }
      #expect(row.contains("  \(count ?? "none")  "), "\(row) \(run.errors)")
    }
  }

  /// Short examples take the time of their own lengths, not that of the model's context.
  @Test func theTimeIsThatOfTheExamples() throws {
    try Program.withModel { program in
      func seconds(_ words: Int) throws -> Double {
        let lines = (0..<20).map { number in
          let text = (0..<words).map { "w\(number + $0)" }.joined(separator: " ")
          return "{\"text\": \"\(text)\", \"label\": \(number % 2)}"
        }
        try program.write(lines.joined(separator: "\n"), to: "labels.jsonl")
        let plan = try program.run(
          Self.finetune + [
            "--set", "data.train=labels.jsonl", "--set", "task=classification", "--set",
            "batch.sequences=16", "--set", "steps=100000", "--dry-run",
          ])
        let time = try #require(
          plan.output.firstMatch(of: /≈ (?:([0-9]+):)?([0-9]+):([0-9]+)/), "\(plan)")
        return (time.1.map { Double($0) ?? 0 } ?? 0) * 3600 + (Double(time.2) ?? 0) * 60
          + (Double(time.3) ?? 0)
      }
      let (long, short) = (try seconds(14), try seconds(1))
      #expect(short < long / 2, "\(short) s for 5 tokens, \(long) s for 60")
    }
  }

  /// A finished run has no step left, and one with more steps than it may have is refused.
  @Test func aFinishedRunIsPlannedAsItGoesOn() throws {
    try Program.withModel { program in
      #expect(try program.run(Self.finetune).code == 0)
      let done = try program.run(Self.finetune + ["--dry-run"])
      #expect(done.code == 0 && done.output.contains("≈ 0:00\n"), "\(done)")
      #expect(!done.output.contains("of training remains"), "\(done)")
      let fewer = Self.finetune + ["--set", "steps=3"]
      let (plan, run) = (try program.run(fewer + ["--dry-run"]), try program.run(fewer))
      #expect(plan.code == 2 && plan.errors == run.errors && plan.output.isEmpty, "\(plan) \(run)")
    }
  }

  /// A path that a run refuses is refused.
  @Test func aRunPathThatIsAFileIsRefused() throws {
    try Program.withModel { program in
      try program.write("", to: "chat")
      let (plan, run) = (
        try program.run(Self.finetune + ["--dry-run"]), try program.run(Self.finetune)
      )
      #expect(
        plan.code == run.code && plan.code != 0 && plan.errors == run.errors, "\(plan) \(run)")
    }
  }

  /// The data is read, and refused as a run refuses it.
  @Test func badDataIsRefused() throws {
    try Program.withModel { program in
      try program.write("{\"prompt\": 3}\n", to: "bad.jsonl")
      for (data, code) in [("none.jsonl", 2), ("bad.jsonl", 2)] {
        let words = Self.finetune + ["--set", "data.train=\(data)"]
        let (plan, run) = (try program.run(words + ["--dry-run"]), try program.run(words))
        #expect(plan.code == code && plan.errors.contains(data), "\(plan)")
        #expect(plan.errors == run.errors && plan.output.isEmpty, "\(plan)")
      }
    }
  }
}
