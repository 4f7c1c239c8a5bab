import Foundation
import Testing

/// Invalid input of `apus annotate`: one sentence, the right exit code, no files left over.
@Suite(.serialized) struct AnnotateInputTests {
  private struct Case {
    let arguments: String
    let code: Int32
    let words: [String]
  }

  @Test func everyMistakeFailsWithOneSentence() throws {
    try Program.withPairs(2) { program in
      #expect(try program.annotate(["--pairs", "pairs.jsonl", "--seed", "3"]).code == 0)
      try program.write("not a database, whatever its name says\n", to: "text.sqlite")
      try program.write(#"{"text":"a","label":"b"}"#, to: "labels.jsonl")
      try program.write(#"{"prompt":"p","chosen":"a","rejected":"a"}"#, to: "equal.jsonl")
      try program.write(
        #"{"pair":"0","annotator":"a","answer":"tie"}"# + "\n{\n", to: "answers.jsonl")
      let cases = [
        Case(arguments: "none.sqlite --annotator a", code: 2, words: ["none.sqlite", "--pairs"]),
        Case(arguments: "report none.sqlite", code: 2, words: ["no file none.sqlite"]),
        Case(arguments: "export none.sqlite --output x", code: 2, words: ["none.sqlite"]),
        Case(arguments: "pairs none.sqlite", code: 2, words: ["none.sqlite"]),
        Case(
          arguments: "text.sqlite --annotator a", code: 2, words: ["text.sqlite", "not a file of"]),
        Case(arguments: "report text.sqlite", code: 2, words: ["text.sqlite", "not a file of"]),
        Case(arguments: ". --annotator a", code: 5, words: ["unable to open"]),
        Case(
          arguments: "judgements.sqlite --annotator a --seed 4", code: 2,
          words: ["seed 3", "not 4", "--seed"]),
        Case(arguments: "judgements.sqlite", code: 64, words: ["--annotator"]),
        Case(
          arguments: "judgements.sqlite --annotator \u{1B}a", code: 2, words: ["␛a", "annotator's"]),
        Case(
          arguments: "new.sqlite --pairs none.jsonl", code: 2, words: ["none.jsonl", "no file"]),
        Case(
          arguments: "new.sqlite --pairs labels.jsonl", code: 2,
          words: ["labels.jsonl:1", "a preference pair"]),
        Case(arguments: "new.sqlite --pairs equal.jsonl", code: 2, words: ["equal.jsonl:1"]),
        Case(
          arguments: "new.sqlite --pairs equal.jsonl --skip-bad", code: 2,
          words: ["no record is left", "1 was left out"]),
        Case(
          arguments: "judgements.sqlite --answers answers.jsonl", code: 2,
          words: [
            #"answers.jsonl:1 judges the pair "0", which is not in judgements.sqlite"#,
            "answers.jsonl:2 is not a JSON object", "2 lines", "--skip-bad",
          ]),
        Case(
          arguments: "judgements.sqlite --answers none.jsonl", code: 2, words: ["none.jsonl"]),
        Case(arguments: "judgements.sqlite --model a", code: 64, words: ["--prompts"]),
        Case(
          arguments: "judgements.sqlite --model a --model b --model c --prompts p", code: 64,
          words: ["two answers"]),
        Case(
          arguments: "new.sqlite --model none --prompts pairs.jsonl", code: 2,
          words: ["none", "does not exist"]),
        Case(
          arguments: "export judgements.sqlite --output pairs.jsonl/where", code: 2,
          words: ["pairs.jsonl"]),
      ]
      let before = try program.contents()
      for mistake in cases {
        let words = mistake.arguments.split(separator: " ").map(String.init)
        let result = try program.run(["annotate"] + words)
        #expect(result.code == mistake.code, "\(mistake.arguments): \(result.errors)")
        for word in mistake.words {
          #expect(result.errors.contains(word), "\(mistake.arguments): \(result.errors)")
        }
        #expect(!result.errors.contains("\u{1B}") && !result.errors.contains("Fatal error"))
        #expect(try program.contents().keys == before.keys, "\(mistake.arguments)")
      }
      // With --skip-bad the valid lines of a file are imported.
      let ids = try program.pairsToJudge(by: "a")
      try program.write(
        "{\n" + #"{"pair":"\#(ids[0])","annotator":"a","answer":"left"}"#, to: "answers.jsonl")
      let skipping = try program.annotate(["--answers", "answers.jsonl", "--skip-bad"])
      #expect(skipping.code == 0 && skipping.errors.contains("answers.jsonl:1"), "\(skipping)")
      #expect(skipping.output.contains("1 answer is new, 0 were there already, 1 is left out"))
    }
  }

  @Test(.enabled(if: Disk.mayMount, "Mounting a small disk is not permitted here."))
  func aFullOrReadOnlyDiskFailsWithCode5() throws {
    try Program.withPairs(200) { program in
      let disk = Disk(path: "\(program.folder)/disk")
      try FileManager.default.createDirectory(atPath: disk.path, withIntermediateDirectories: true)
      try #require(disk.mount(bytes: 1 << 20))
      defer { disk.unmount() }
      func annotate(_ arguments: [String]) throws -> Program.Result {
        try program.run(["annotate"] + arguments)
      }
      let file = "disk/judgements.sqlite"
      #expect(try annotate([file, "--pairs", "pairs.jsonl"]).code == 0)
      try program.write(
        (0..<200).map { _ in "l" }.joined(separator: "\n"), to: "keys.txt")
      try disk.fill(leaving: 0)
      let (process, output, errors) = try program.start(
        "/bin/bash",
        ["-c", "exec \"$0\" annotate \(file) --annotator anna < keys.txt", Program.executable])
      let full = Program.finish(process, output, errors)
      #expect(full.code == 5 && full.errors.contains(file), "\(full.errors)")
      disk.clear()
      // Judgements that were acknowledged before the disk was full are in the file.
      let acknowledged = full.output.components(separatedBy: "Kept: left.").count - 1
      let report = try annotate(["report", file])
      #expect(report.output.contains("200 pairs, \(acknowledged) judgements"), "\(report)")
      try #require(disk.makeReadOnly())
      for arguments in [
        [file, "--annotator", "anna"], ["disk/x.sqlite", "--pairs", "pairs.jsonl"],
      ] {
        let result = try annotate(arguments)
        #expect(result.code == 5 && result.errors.contains(arguments[0]), "\(result.errors)")
      }
      let reading = try annotate(["report", file])
      #expect(reading.code == 0 && reading.output == report.output, "\(reading)")
    }
  }
}
