import Foundation
import Monitoring
import Testing

@testable import Apus
@testable import Phases

/// The table of `apus evaluate`: a legend, the number of examples, intervals, and the result.
@Suite struct EvaluationTableTests {
  /// Figures on 256 answers, of which `followed` and `kind` succeed.
  private func figures(followed: Double, kind: Double, loss: Double = 1) -> [Figure] {
    [Figure("answers", 256), Figure("answerLoss", loss)]
      + Figure.fraction("followed", followed, of: 256) + Figure.fraction("kind", kind, of: 256)
  }

  private func table(_ figures: [Figure]...) -> EvaluationTable {
    EvaluationTable(
      models: ["runs/base", "runs/chat", "runs/aligned"].prefix(figures.count).map(\.self),
      figures: figures)
  }

  @Test func theTableHasCountsIntervalsAndALegend() {
    let lines = table(figures(followed: 0, kind: 73), figures(followed: 240, kind: 113)).lines
    #expect(
      lines == [
        "model            answers  answerLoss   followed       kind",
        "runs/base            256      1.0000     0.0000     0.2852",
        "  95 % interval                       0.00–0.01  0.23–0.34",
        "runs/chat            256      1.0000     0.9375     0.4414",
        "  95 % interval                       0.90–0.96  0.38–0.50",
        "",
        "answers     answers sampled, one to each instruction",
        "answerLoss  mean loss of the tokens of the answers, in nats; lower is better",
        "followed    fraction of answers that keep every fact of their instruction",
        "kind        fraction of answers with a kind ending",
      ], "\(lines.joined(separator: "\n"))")
  }

  @Test func theResultIsOneSentenceOnWhatExceedsTheIntervals() throws {
    let all = table(
      figures(followed: 0, kind: 110), figures(followed: 240, kind: 113),
      figures(followed: 244, kind: 244))
    let result = try #require(all.result)
    #expect(
      result.joined(separator: " ")
        == "Result: from runs/base to runs/chat followed rises from 0.00 to 0.94; from runs/chat to "
        + "runs/aligned kind rises from 0.44 to 0.95; no other figure with an interval differs by "
        + "more than its intervals; no interval is known of answerLoss.")
    #expect(result.allSatisfy { $0.count <= 100 })
    let same = table(figures(followed: 120, kind: 110), figures(followed: 125, kind: 113))
    #expect(same.result?.first?.hasPrefix("Result: no figure with an interval differs") == true)
    let fall = table(figures(followed: 200, kind: 110), figures(followed: 20, kind: 110))
    #expect(fall.result?.first?.contains("followed falls from 0.78 to 0.08") == true)
  }

  /// A table of more than 100 columns is several, with intervals only where a figure has one.
  @Test func aWideTableIsSeveralOfTheSameModels() {
    let all = ["tokens", "loss", "perplexity", "bitsPerByte", "records", "answerPerplexity"].map {
      Figure($0, 1)
    }
    let lines = table(
      all + figures(followed: 0, kind: 73), all + figures(followed: 0, kind: 73)
    ).lines
    #expect(lines.allSatisfy { $0.count <= 100 }, "\(lines.joined(separator: "\n"))")
    let heads = lines.filter { $0.hasPrefix("model  ") }
    #expect(heads.count == 2 && heads[0].contains("loss") && heads[1].hasSuffix("  kind"))
    #expect(lines.filter { $0.hasPrefix("runs/chat  ") }.count == 2)
    #expect(lines.filter { $0.hasPrefix("  95 % interval") }.count == 2)
  }

  /// The loss of a classifier is not one of tokens.
  @Test func theLossIsOfTokensOnlyBesideTheirNumber() {
    #expect(FigureLegend.lines(of: ["tokens", "loss"])[1].contains("tokens, in nats"))
    #expect(!FigureLegend.lines(of: ["records", "loss", "accuracy"])[1].contains("token"))
  }

  @Test func thereIsNoResultOfOneModelOrWithoutIntervals() {
    #expect(table(figures(followed: 1, kind: 1)).result == nil)
    let loss = table([Figure("loss", 1)], [Figure("loss", 2)])
    #expect(loss.result == nil)
    #expect(loss.lines.allSatisfy { !$0.contains("interval") })
  }

  /// The facts of an answer depend on each other: the interval is wider than that of as many
  /// independent facts.
  @Test func theIntervalOfARatioIsThatOfItsExamples() throws {
    let ratio = Figure.ratio("factsKept", 400, of: 500, examples: 100)
    let independent = Figure.fraction("factsKept", 400, of: 500)
    #expect(ratio[0] == independent[0] && ratio.map(\.name) == independent.map(\.name))
    let width = { (figures: [Figure]) in figures[2].value - figures[1].value }
    #expect(width(ratio) > 2 * width(independent) && width(ratio) < 0.2)
    #expect(Figure.ratio("factsKept", 0, of: 60, examples: 12)[2].value > 0.2)
  }

  /// Every figure that the program prints has a meaning, and the lines fit 100 columns.
  @Test func everyFigureIsExplained() throws {
    #expect(
      FigureLegend.lines(of: FigureLegend.meanings.keys.sorted()).allSatisfy { $0.count <= 100 })
    let tasks = try FileManager.default.contentsOfDirectory(
      atPath: "\(ReadmeTests.repository)/Sources/Phases/Tasks")
    let files =
      tasks.map { "Phases/Tasks/\($0)" }
      + ["Phases/ModelEvaluation.swift", "Apus/InstructionFollowing.swift"]
    var count = 0
    for file in files {
      let text = try String(
        contentsOfFile: "\(ReadmeTests.repository)/Sources/\(file)", encoding: .utf8)
      for match in text.matches(of: /(?:Figure|fraction|bounded|ratio)\(\s*"(\w+)"/) {
        count += 1
        #expect(FigureLegend.meanings["\(match.1)"] != nil, "\(match.1) in \(file)")
      }
    }
    #expect(count > 15)
    try Program.withCorpus { program in
      #expect(try program.run(["pretrain", "run.yaml", "--threads", "1"]).code == 0)
      try program.write(Program.pairs(6), to: "pairs.jsonl")
      let talk = (0..<6).map { #"{"prompt":"Line \#($0)","completion":"an answer"}"# }
      try program.write(talk.joined(separator: "\n"), to: "talk.jsonl")
      let command = ["evaluate", "run", "--texts", "corpus.txt", "--records", "talk.jsonl"]
      let result = try program.run(command + ["--threads", "1"])
      #expect(result.code == 0, "\(result.errors)")
      let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.allSatisfy { $0.count <= 100 }, "\(result.output)")
      let names = lines.filter { $0.hasPrefix("model  ") }.flatMap {
        $0.split(separator: " ").dropFirst().map(String.init)
      }
      #expect(
        names == [
          "tokens", "loss", "perplexity", "bitsPerByte", "records", "answerLoss",
          "answerPerplexity", "tokenAccuracy", "exactMatch",
        ])
      for name in names {
        #expect(lines.contains { $0.hasPrefix(name + "  ") }, "\(result.output)")
      }
    }
  }
}
