import Foundation
import Testing

/// Ranks that differ: one sentence names the rank and the difference, and no rank hangs.
@Suite(
  .serialized, .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
struct RankTests {
  private let pretrain = ["pretrain", "run.yaml"]

  private func expectRefusal(
    _ program: Program, _ ranks: [Program.Rank], _ words: [String], code: Int32 = 2,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try program.run(each: ranks)
    #expect(result.code == code, "\(result.errors)", sourceLocation: sourceLocation)
    for word in words {
      #expect(
        result.errors.contains(word), "\(word): \(result.errors)", sourceLocation: sourceLocation)
    }
    // Only one rank prints the sentence.
    let sentences = result.errors.components(separatedBy: "apus: ").count - 1
    #expect(sentences == 1, "\(result.errors)", sourceLocation: sourceLocation)
  }

  @Test func aDifferentConfigurationIsReportedWithItsLine() throws {
    try Program.withCorpus { program in
      try program.write(Program.yaml("seed: 2"), to: "other.yaml")
      let ranks = [
        Program.Rank(arguments: pretrain), .init(arguments: ["pretrain", "other.yaml"]),
      ]
      try expectRefusal(program, ranks, ["Rank 1 on", "seed: 2", "seed: 1"])
      #expect(program.names(in: "run") == [])
    }
  }

  @Test func aDifferentNumberOfThreadsIsReported() throws {
    try Program.withCorpus { program in
      let ranks = [
        Program.Rank(arguments: pretrain), .init(arguments: pretrain, threads: 2),
      ]
      try expectRefusal(program, ranks, ["Rank 1 on", "threads", "\"2\"", "\"1\""])
    }
  }

  @Test func aDifferentBuildIsReported() throws {
    try Program.withCorpus { program in
      let other = "\(program.folder)/apus"
      try FileManager.default.copyItem(atPath: Program.executable, toPath: other)
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: other))
      try file.seekToEnd()
      try file.write(contentsOf: Data("another build".utf8))
      try file.close()
      let ranks = [
        Program.Rank(arguments: pretrain), .init(arguments: pretrain, executable: other),
      ]
      try expectRefusal(program, ranks, ["Rank 1 on", "program"])
    }
  }

  @Test func aConfigurationMissingOnOneRankIsReported() throws {
    try Program.withCorpus { program in
      try program.write("", to: "elsewhere/nothing")
      let ranks = [
        Program.Rank(arguments: pretrain), .init(arguments: pretrain, place: "elsewhere"),
      ]
      try expectRefusal(program, ranks, ["rank 1 on", "run.yaml"])
    }
  }

  /// Every command that ranks run together.
  @Test func otherArgumentsOfARankAreReported() throws {
    try Program.withCorpus { program in
      try program.write(Program.corpus + "One more.", to: "other.txt")
      try program.write("run: r\nstages:\n  - { name: a, command: config }\n", to: "recipe.yaml")
      let train = { (file: String) in
        ["tokenizer", "train", file, "--vocabulary", "300", "--output", "t"]
      }
      let cases: [([String], [String], [String])] = [
        (
          ["evaluate", "base", "--texts", "corpus.txt"],
          ["evaluate", "base", "--texts", "other.txt"],
          ["--texts", "\"other.txt\"", "\"corpus.txt\""]
        ),
        (
          ["evaluate", "base", "--texts", "corpus.txt"],
          ["evaluate", "base", "--texts", "corpus.txt", "--json"], ["number of arguments"]
        ),
        (train("corpus.txt"), train("other.txt"), ["argument 3", "\"other.txt\""]),
        (pretrain, pretrain + ["--dry-run"], ["--dry-run", "\"true\""]),
        (pretrain, pretrain + ["--resume", "never"], ["--resume", "\"never\""]),
        (
          ["run", "recipe.yaml", "--only", "a"], ["run", "recipe.yaml", "--from", "a"],
          ["argument 3", "\"--from\""]
        ),
      ]
      for (first, second, words) in cases {
        try expectRefusal(
          program, [.init(arguments: first), .init(arguments: second)], ["Rank 1 on"] + words)
      }
    }
  }

  /// Files of the same name in folders that the ranks do not share.
  @Test func otherFilesOfARankAreReported() throws {
    try Program.withCorpus { program in
      #expect(try program.run(pretrain + ["--set", "run=base"]).code == 0)
      let base = "\(program.folder)/base"
      let record = { (word: String) in #"{"prompt":"Say \#(word)","completion":"bird"}"# }
      for (place, text, phase) in [("a", "A bird.", "pretrain"), ("b", "A cat.", "align")] {
        try program.write(text, to: "\(place)/text.txt")
        try program.write(record(place), to: "\(place)/records.jsonl")
        try program.write(
          "run: r\nstages:\n  - { name: s, command: config --phase \(phase) }\n",
          to: "\(place)/recipe.yaml")
      }
      let cases = [
        (["evaluate", base, "--texts", "text.txt"], "texts"),
        (["evaluate", base, "--records", "records.jsonl"], "records"),
        (["run", "recipe.yaml"], "stage s"),
      ]
      for (command, word) in cases {
        try expectRefusal(
          program, ["a", "b"].map { .init(arguments: command, place: $0) }, ["Rank 1 on", word])
      }
      let other = pretrain + ["--set", "run=b/base", "--set", "seed=2", "--threads", "1"]
      #expect(try program.run(other).code == 0)
      try FileManager.default.copyItem(
        atPath: base, toPath: "\(program.folder)/a/base")
      try expectRefusal(
        program,
        ["a", "b"].map {
          .init(
            arguments: ["evaluate", "base", "--texts", "\(program.folder)/corpus.txt"], place: $0)
        }, ["Rank 1 on", "model base"])
    }
  }

  /// Both ranks read the same configuration, whose run folder is relative to their working folders.
  ///
  /// With text as data, the dataset is in the run folder too: the other rank has none, or another
  /// one.
  @Test(arguments: ["text", "other text", "dataset"])
  func aRunFolderThatRanksDoNotShareIsReported(data: String) throws {
    try Program.withCorpus { program in
      try program.write("", to: "elsewhere/nothing")
      var command = ["pretrain", "\(program.folder)/run.yaml"]
      switch data {
      case "dataset":
        let build = ["data", "build", "corpus.txt", "--output", "shards"]
        #expect(try program.run(build).code == 0)
        command += ["--set", "data.train=[\(program.folder)/shards]"]
      case "other text":
        try program.write(String(Program.corpus.reversed()), to: "elsewhere/corpus.txt")
        let alone = try program.run(each: [.init(arguments: command, place: "elsewhere")])
        #expect(alone.code == 0, "\(alone.errors)")
      default: break
      }
      let ranks = [Program.Rank(arguments: command), .init(arguments: command, place: "elsewhere")]
      try expectRefusal(
        program, ranks, ["rank 1 on", "run folder run is not the one", "share", "mount"])
      #expect(program.steps("run") == [])
    }
  }

  @Test func aDatasetMissingOnOneRankIsReported() throws {
    try Program.withCorpus { program in
      #expect(
        try program.run(["data", "build", "corpus.txt", "--output", "here/shards"]).code == 0)
      try program.write("", to: "elsewhere/nothing")
      let command = [
        "pretrain", "\(program.folder)/run.yaml", "--set", "data.train=[shards]", "--set",
        "run=\(program.folder)/run",
      ]
      let here = Program.Rank(arguments: command, place: "here")
      let elsewhere = Program.Rank(arguments: command, place: "elsewhere")
      try expectRefusal(program, [here, elsewhere], ["rank 1 on", "dataset in shards"])
      try expectRefusal(program, [elsewhere, here], ["shards"])
    }
  }

  @Test func differentDatasetsOfOneNameAreReported() throws {
    try Program.withCorpus { program in
      try program.write(String(Program.corpus.reversed()), to: "other.txt")
      #expect(try program.run(["data", "build", "corpus.txt", "--output", "a/set"]).code == 0)
      #expect(try program.run(["data", "build", "other.txt", "--output", "b/set"]).code == 0)
      let command = [
        "pretrain", "\(program.folder)/run.yaml", "--set", "data.train=[set]", "--set",
        "run=\(program.folder)/run",
      ]
      try expectRefusal(
        program, [.init(arguments: command, place: "a"), .init(arguments: command, place: "b")],
        ["Rank 1 on", "training tokens"])
    }
  }

  /// An error that both ranks find is printed once, and they exit without the banner of MPI_Abort.
  @Test func anErrorOfAllRanksIsPrintedOnce() throws {
    try Program.withCorpus { program in
      try program.write(Data([0x61, 0xFF, 0x62]), to: "latin.txt")
      try program.write("short", to: "short.txt")
      #expect(try program.run(["pretrain", "run.yaml", "--set", "run=other"]).code == 0)
      let cases: [(arguments: [String], code: Int32, word: String)] = [
        (["--set", "data.train=latin.txt"], 2, "latin.txt is"),
        (["--set", "data.train=short.txt", "--set", "data.validation=0"], 2, "one window"),
        (["--resume", "nowhere"], 2, "nowhere"),
        (["--set", "run=other", "--set", "model.width=32"], 2, "another model"),
        (["--set", "run=other", "--set", "steps=5"], 2, "already at step 12"),
        (["--set", "run=corpus.txt/run"], 2, "corpus.txt"),
        (["--nonsense"], 64, "nonsense"),
      ]
      for (arguments, code, word) in cases {
        let result = try program.run(pretrain + ["--threads", "1"] + arguments, ranks: 2)
        #expect(result.code == code, "\(result.errors)")
        #expect(result.errors.components(separatedBy: word).count == 2, "\(result.errors)")
        #expect(!result.errors.contains("MPI_ABORT"), "\(result.errors)")
        #expect(program.names(in: "run").isEmpty, "\(arguments)")
      }
    }
  }
}
