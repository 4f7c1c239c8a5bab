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
