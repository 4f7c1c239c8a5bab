import Foundation
import Testing

/// Pairs of answers by trained models: seeded, once, and shown without a name.
@Suite(.serialized) struct PairSamplingTests {
  /// A program in a folder with the models `alpha` and `beta` and some prompts.
  private func withModels(_ body: (Program) throws -> Void) throws {
    try Program.withCorpus { program in
      for (name, seed) in [("alpha", 1), ("beta", 2)] {
        let result = try program.run(
          [
            "pretrain", "run.yaml", "--threads", "1", "--set", "run=\(name)", "--set",
            "seed=\(seed)",
          ])
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

  @Test func theSeedDecidesAndNothingIsSampledTwice() throws {
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
        // Another setting samples anew.
        let cooler = try sample(program, "one.sqlite", models, ["--temperature", "0.5"])
        #expect(!cooler.output.contains("0 pairs are new"), "\(cooler)")
        for name in ["one", "two", "other"] {
          try FileManager.default.removeItem(atPath: "\(program.folder)/\(name).sqlite")
        }
      }
    }
  }

  @Test func nobodyIsToldWhoseAnAnswerIs() throws {
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

  /// A model that always says the same makes no pair.
  @Test func equalAnswersMakeNoPair() throws {
    try withModels { program in
      let result = try sample(program, "judgements.sqlite", ["alpha"], ["--temperature", "0"])
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.output.contains("0 pairs are new, sampled for 6 prompts; 6 had equal"))
      try program.write(
        #"{"prompt":"\#(String(repeating: "a", count: 40))"}"#, to: "prompts.jsonl")
      let long = try sample(program, "new.sqlite", ["alpha"])
      #expect(long.code == 2 && long.errors.contains("context of 16"), "\(long.errors)")
      #expect(!program.names(in: ".").contains("new.sqlite"))
    }
  }
}
