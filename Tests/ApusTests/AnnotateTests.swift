import Foundation
import Glibc
import Testing

/// `apus annotate` with input from a pipe: blind, durable across kills, concurrent.
@Suite(.serialized) struct AnnotateTests {
  @Test func judgementsOfPairsBecomePreferences() throws {
    try Program.withPairs(4) { program in
      let first = try program.annotate(
        ["--pairs", "pairs.jsonl", "--annotator", "anna"], ["l  kinder", "what", "r", "u", "t"])
      #expect(first.code == 0 && first.errors.isEmpty, "\(first)")
      for words in ["4 of 4 pairs are new.", "anna: 2 judged now, 2 of 4 in all."] {
        #expect(first.output.contains(words), "\(first.output)")
      }
      let second = try program.annotate(["--annotator", "anna"], ["b", "s", "q", "l"])
      #expect(second.code == 0 && second.output.contains("— Pair 3 of 4\n"), "\(second)")
      #expect(second.output.contains("anna: 2 judged now, 4 of 4 in all."), "\(second)")
      let report = try program.run(["annotate", "report", "judgements.sqlite"])
      #expect(report.code == 0 && report.output.contains("4 pairs, 4 judgements"), "\(report)")
      for (ties, count, words) in [([], 1, "1 preference"), (["--ties"], 5, "5 preferences")]
        as [([String], Int, String)]
      {
        let export = try program.run(
          ["annotate", "export", "judgements.sqlite", "--output", "out.jsonl"] + ties)
        #expect(export.code == 0 && export.output.contains("out.jsonl: \(words)"), "\(export)")
        #expect(!export.output.contains("1 preferences"), "\(export)")
        let text = String(decoding: program.read("out.jsonl") ?? Data(), as: UTF8.self)
        #expect(text.split(separator: "\n").count == count && text.hasSuffix("}\n"))
      }
      // No journal of SQLite is left when no process uses the file.
      #expect(program.names(in: ".") == ["judgements.sqlite", "out.jsonl", "pairs.jsonl"])
    }
  }

  /// Imports a file of answers for the listed pairs, and exports them as preferences.
  @Test func exportedPreferencesEqualTheImportedPairs() throws {
    try Program.withPairs(20) { program in
      #expect(try program.annotate(["--pairs", "pairs.jsonl"]).code == 0)
      let listing = try program.run(["annotate", "pairs", "judgements.sqlite"])
      let written = try program.run(
        ["annotate", "pairs", "judgements.sqlite", "--output", "listing.jsonl"])
      #expect(written.code == 0 && written.output == "listing.jsonl: 20 pairs\n", "\(written)")
      #expect(program.read("listing.jsonl") == Data(listing.output.utf8))
      let ids = listing.output.split(separator: "\n").compactMap {
        (try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["pair"]
      }
      let answers = ids.flatMap { id in
        ["anna", "ben"].map { #"{"pair":"\#(id)","annotator":"\#($0)","answer":"first"}"# }
      }
      try program.write(answers.joined(separator: "\n"), to: "answers.jsonl")
      let taken = try program.annotate(["--answers", "answers.jsonl"])
      #expect(taken.code == 0 && taken.output.hasPrefix("40 answers are new"), "\(taken)")
      let again = try program.annotate(["--answers", "answers.jsonl", "--pairs", "pairs.jsonl"])
      #expect(again.output.contains("0 of 20 pairs are new"), "\(again)")
      #expect(again.output.contains("0 answers are new, 40 were there"), "\(again)")
      let output = ["--output", "out.jsonl"]
      #expect(try program.run(["annotate", "export", "judgements.sqlite"] + output).code == 0)
      let fields = { (name: String) in
        try String(decoding: program.read(name) ?? Data(), as: UTF8.self).split(separator: "\n")
          .map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return ["prompt", "chosen", "rejected"].map { object?[$0] as? String }
          }
      }
      #expect(try fields("out.jsonl") == fields("pairs.jsonl"))
    }
  }

  /// After a kill at a random moment, all acknowledged judgements are stored, and at most one more.
  @Test func acknowledgedJudgementsSurviveAKill() throws {
    let count = 300
    try Program.withPairs(count) { program in
      #expect(try program.annotate(["--pairs", "pairs.jsonl"]).code == 0)
      var draw = SplitMix(state: 4)
      var judged = 0
      var kills = 0
      for _ in 0..<5 {
        let (process, output, errors) = try program.startAnnotating(
          ["--annotator", "anna"], Array(repeating: "l", count: count))
        let reader = output.fileHandleForReading
        // With a pipe of one page the program cannot be far ahead of its reader.
        #expect(fcntl(reader.fileDescriptor, 1031 /* F_SETPIPE_SZ */, 4096) == 4096)
        var text = reader.availableData
        let enough = Int(draw.next() % 10_000)
        while text.count < enough {
          let more = reader.availableData
          if more.isEmpty { break }
          text += more
        }
        if process.isRunning { kills += 1 }
        kill(process.processIdentifier, SIGKILL)
        let rest = Program.finish(process, output, errors)
        let acknowledged =
          (String(decoding: text, as: UTF8.self) + rest.output)
          .components(separatedBy: "Kept: left.\n").count - 1
        let left = try program.pairsToJudge(by: "anna").count
        let now = count - left
        #expect(
          now == judged + acknowledged || now == judged + acknowledged + 1,
          "\(judged) and \(acknowledged) acknowledged, \(now) kept")
        judged = now
      }
      #expect(kills >= 3 && judged > 0 && judged < count, "\(kills) kills, \(judged) judged")
      let last = try program.annotate(["--annotator", "anna"], Array(repeating: "l", count: count))
      #expect(last.code == 0 && last.output.contains("\(count) of \(count) in all."))
    }
  }

  /// Three annotators, one of them in two processes, create one file and judge concurrently.
  @Test func severalAnnotatorsJudgeConcurrently() throws {
    try Program.withPairs(60) { program in
      let lines = Array(repeating: "l", count: 60)
      let started = try ["anna", "ben", "cora", "cora"].map {
        try program.startAnnotating(["--pairs", "pairs.jsonl", "--annotator", $0], lines)
      }
      for (process, output, errors) in started {
        let result = Program.finish(process, output, errors)
        #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(result.output.contains("60 of 60 in all."), "\(result.output.suffix(300))")
      }
      let report = try program.run(["annotate", "report", "judgements.sqlite"])
      for words in ["60 pairs, 180 judgements by 3", "Fleiss' kappa", "60 pairs judged by several"]
      {
        #expect(report.output.contains(words), "\(report.output)")
      }
    }
  }

  @Test func eachAnnotatorHasAnOrderOfTheirOwn() throws {
    try Program.withPairs(30) { program in
      #expect(try program.annotate(["--pairs", "pairs.jsonl", "--seed", "3"]).code == 0)
      let orders = try ["anna", "ben", "anna"].map(program.pairsToJudge)
      #expect(orders[0] == orders[2] && orders[0] != orders[1])
      #expect(Set(orders[0]) == Set(orders[1]) && orders[0].count == 30)
    }
  }
}
