import Foundation
import Testing
import Tokenizers

@testable import Apus

/// Pairs of answers that trained models sample: seeded, sampled once, shown without the model's
/// name.
@Suite(.serialized) struct PairSamplingTests {
  /// A program in a folder with the models `alpha` and `beta` and some prompts.
  private func withModels(context: Int = 16, _ body: (Program) throws -> Void) throws {
    try Program.withCorpus { program in
      for (name, seed) in [("alpha", 1), ("beta", 2)] {
        let keys = ["run=\(name)", "seed=\(seed)", "model.context=\(context)"]
        let result = try program.run(
          ["pretrain", "run.yaml", "--threads", "1"] + keys.flatMap { ["--set", $0] })
        #expect(result.code == 0, "\(result.errors)")
      }
      let prompts = (0..<6).map { #"{"prompt":"Line \#($0)"}"# }
      try program.write(prompts.joined(separator: "\n"), to: "prompts.jsonl")
      try body(program)
    }
  }

  private func sample(
    _ program: Program, _ file: String, _ models: [String], _ more: [String] = []
  ) throws -> Program.Result {
    try program.run(
      ["annotate", file, "--prompts", "prompts.jsonl", "--tokens", "8"]
        + models.flatMap { ["--model", $0] } + more)
  }

  private func listing(_ program: Program, _ file: String) throws -> String {
    try program.run(["annotate", "pairs", file]).output
  }

  @Test func pairsDependOnTheSeedAndAreSampledOnce() throws {
    try withModels { program in
      for models in [["alpha", "beta"], ["alpha"]] {
        let one = try sample(program, "one.sqlite", models, ["--threads", "1"])
        #expect(one.code == 0 && one.output.contains("6 pairs are new"), "\(one)")
        #expect(try sample(program, "two.sqlite", models, ["--threads", "2"]).code == 0)
        let pairs = try listing(program, "one.sqlite")
        #expect(try listing(program, "two.sqlite") == pairs)
        #expect(try sample(program, "other.sqlite", models, ["--seed", "2"]).code == 0)
        #expect(try listing(program, "other.sqlite") != pairs)
        let again = try sample(program, "one.sqlite", models)
        #expect(again.output.contains("0 pairs are new"), "\(again)")
        // Other sampling settings produce new pairs.
        let cooler = try sample(program, "one.sqlite", models, ["--temperature", "0.5"])
        #expect(!cooler.output.contains("0 pairs are new"), "\(cooler)")
        for name in ["one", "two", "other"] {
          try FileManager.default.removeItem(atPath: "\(program.folder)/\(name).sqlite")
        }
      }
    }
  }

  @Test func sessionsAndListingsHideTheModelNames() throws {
    try withModels { program in
      #expect(try sample(program, "judgements.sqlite", ["alpha", "beta"]).code == 0)
      let session = try program.annotate(
        ["--annotator", "anna"], ["l", "r", "u", "x", "t", "b", "s", "l", "l", "u"])
      let listing = try listing(program, "judgements.sqlite")
      #expect(session.code == 0 && session.output.contains("Line 3") && listing.contains("Line 3"))
      for text in [session.output, session.errors, listing] {
        #expect(!text.contains("alpha") && !text.contains("beta"), "\(text)")
      }
      let report = try program.run(["annotate", "report", "judgements.sqlite"]).output
      #expect(report.contains("alpha") && report.contains("beta"), "\(report)")
    }
  }

  /// Two equal answers of a model make no pair.
  @Test func equalAnswersMakeNoPair() throws {
    try withModels { program in
      let result = try sample(program, "judgements.sqlite", ["alpha"], ["--temperature", "0"])
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.output.contains("0 pairs are new, sampled for 6 prompts; 6 have only equal"))
      try program.write(
        #"{"prompt":"\#(String(repeating: "a", count: 40))"}"#, to: "prompts.jsonl")
      let long = try sample(program, "new.sqlite", ["alpha"])
      #expect(long.code == 2 && long.errors.contains("context of 16"), "\(long.errors)")
      #expect(!program.names(in: ".").contains("new.sqlite"))
    }
  }

  /// Pairs are in ascending order of the absolute reward difference of their answers, and the mean
  /// difference is the margin that `apus evaluate` reports.
  @Test func pairsAreOrderedByTheRewardModelsUncertainty() throws {
    try withModels(context: 64) { program in
      try program.write(Program.pairs(20), to: "pairs.jsonl")
      let options = ["run=judge", "model.from=alpha", "data.train=[pairs.jsonl]", "steps=4"]
      let judge = try program.run(
        ["reward", "--threads", "1"]
          + (options + ["schedule.warmup=1", "optimizer.learningRate=1e-2"]).flatMap {
            ["--set", $0]
          })
      #expect(judge.code == 0, "\(judge.errors)")
      let asked = try program.annotate(
        [
          "--pairs", "pairs.jsonl", "--annotator", "anna", "--reward", "judge", "--threads", "1",
          "--precision", "fp32",
        ],
        Array(repeating: "l", count: 20))
      #expect(asked.code == 0, "\(asked.errors)")
      let order = asked.output.split(separator: "\n").compactMap { line in
        line.hasPrefix("  Question ") ? Int(line.dropFirst(11).dropLast()) : nil
      }
      // evaluate computes in fp32 unless told otherwise; annotate in bf16 where that is faster.
      let arguments = try GenerationArguments.parse(["--threads", "1", "--precision", "fp32"])
      let scoring = try RewardScoring("\(program.folder)/judge", arguments, nil)
      let margins = try (0..<20).map { number in
        let score = { (answer: String) in
          try scoring.score(
            [Message(.user, "Question \(number)?")],
            [Message(.assistant, "Answer \(number) of \(answer)")])
        }
        return try score("one") - score("two")
      }
      #expect(Set(margins).count > 10)
      #expect(order == (0..<20).sorted { abs(margins[$0]) < abs(margins[$1]) })
      let measured = try program.run(
        ["evaluate", "judge", "--records", "pairs.jsonl", "--threads", "1", "--json"])
      let object = try JSONSerialization.jsonObject(with: Data(measured.output.utf8))
      let figures = (object as? [String: Any])?["figures"] as? [String: Double]
      let margin = try #require(figures?["margin"], "\(measured)")
      #expect(abs(margins.reduce(0, +) / 20 - margin) < 1e-5 * abs(margin), "\(margin)")
      let other = try program.annotate(["--annotator", "ben", "--reward", "alpha"])
      #expect(other.code == 2 && other.errors.contains("a language model"), "\(other.errors)")
    }
  }
}
