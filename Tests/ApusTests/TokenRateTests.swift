import Foundation
import Testing

/// Tokens per second count each token of a batch once, without padding and without generation.
@Suite(.serialized) struct TokenRateTests {
  private func first(_ run: String, _ program: Program) throws -> [String: Any] {
    try #require(try program.figures(run).first { $0["tokensPerSecond"] != nil })
  }

  private func tokens(of run: String, _ program: Program) throws -> Int {
    try #require(try first(run, program)["tokens"] as? Int)
  }

  /// The reference model of DPO and KTO reads the same tokens, which do not count again; neither do
  /// the mismatched answers of KTO.
  @Test func aPassOfTheReferenceModelDoesNotCount() throws {
    try Program.withModel { program in
      // The chosen and the rejected answers have equal lengths.
      try program.write(Program.pairs(8), to: "pairs.jsonl")
      let answers = (0..<8).map {
        #"{"prompt":"Question \#($0)?","completion":"Answer \#($0) of one","label":\#($0 % 2 == 0)}"#
      }
      try program.write(answers.joined(separator: "\n"), to: "answers.jsonl")
      for (method, data) in [("dpo", "pairs"), ("kto", "answers")] {
        let result = try program.run(
          ["align"]
            + Program.short(
              method, "data.train=\(data).jsonl", "method=\(method)", "batch.microBatches=1",
              "batch.sequences=8"))
        #expect(result.code == 0, "\(result.errors)")
      }
      let (pairs, single) = (try tokens(of: "dpo", program), try tokens(of: "kto", program))
      // A conversation and its markers, of bytes.
      #expect((8 * 20...8 * 60).contains(single), "\(single)")
      #expect(pairs == 2 * single, "\(pairs) and \(single)")
    }
  }

  @Test func generationIsToldApart() throws {
    try Program.withModel { program in
      let result = try program.run(Program.shortAlignment("aligned", "reward.rule=b"))
      #expect(result.code == 0, "\(result.errors)")
      let step = try first("aligned", program)
      let number = { (name: String) in try #require(step[name] as? Double, "\(name)") }
      let rate = try number("tokens") / number("secondsPerStep")
      #expect(abs(try number("tokensPerSecond") - rate) < 1e-6 * rate)
      let generated = try number("tokensGenerated")
      #expect(generated > 0 && generated <= 8 * 8)
      #expect(try number("secondsGeneration") > 0)
      #expect(try (0...1).contains(number("peakFraction")))
      #expect(result.errors.contains(/generation \d+ % \(\d+ tokens\/s\)/), "\(result.errors)")
    }
  }
}
