import Foundation
import Testing

/// Mistakes of users: one sentence that names the mistake, the right exit code, no files left over.
@Suite(.serialized) struct BadInputTests {
  private struct Case {
    let name: String
    let arguments: [String]
    let code: Int32
    let words: [String]
  }

  @Test func everyMistakeFailsWithOneSentence() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(Program.corpus, to: "corpus.txt")
    try program.write(Program.yaml(), to: "run.yaml")
    try program.write(Program.yaml("optimiser: { learningRate: 1 }"), to: "misspelt.yaml")
    try program.write("steps: [1", to: "broken.yaml")
    try program.write("", to: "empty.txt")
    try program.write(Data([0x61, 0, 0x62]), to: "binary.txt")
    try program.write(Data([0x61, 0xFF, 0x62]), to: "latin.txt")
    try program.write("short", to: "short.txt")
    let set = { (values: [String]) in
      ["pretrain", "run.yaml"] + values.flatMap { ["--set", $0] }
    }
    let cases = [
      Case(
        name: "misspelt key", arguments: ["pretrain", "misspelt.yaml"], code: 2,
        words: ["optimiser", "optimizer", "misspelt.yaml"]),
      Case(name: "no file", arguments: ["pretrain", "none.yaml"], code: 2, words: ["none.yaml"]),
      Case(name: "YAML", arguments: ["pretrain", "broken.yaml"], code: 2, words: ["broken.yaml"]),
      Case(name: "type", arguments: set(["steps=many"]), code: 2, words: ["steps", "many"]),
      Case(name: "range", arguments: set(["steps=0"]), code: 2, words: ["steps", "0"]),
      Case(
        name: "power of two", arguments: set(["batch.microBatches=6"]), code: 2,
        words: ["microBatches", "power of two", "4", "8"]),
      Case(name: "heads", arguments: set(["model.heads=3"]), code: 2, words: ["heads", "16"]),
      Case(
        name: "missing corpus", arguments: set(["data.train=no.txt"]), code: 2,
        words: ["no.txt", "starts at the current folder"]),
      Case(name: "empty", arguments: set(["data.train=empty.txt"]), code: 2, words: ["empty.txt"]),
      Case(
        name: "binary", arguments: set(["data.train=binary.txt"]), code: 2, words: ["binary.txt"]),
      Case(
        name: "encoding", arguments: set(["data.train=latin.txt"]), code: 2,
        words: ["latin.txt", "UTF-8"]),
      Case(
        name: "short", arguments: set(["data.train=short.txt", "data.validation=0"]), code: 2,
        words: ["context"]),
      Case(
        name: "tokenizer", arguments: set(["tokenizer=nowhere"]), code: 2, words: ["nowhere"]),
      Case(
        name: "resume", arguments: ["pretrain", "run.yaml", "--resume", "nowhere"], code: 2,
        words: ["nowhere"]),
      Case(
        name: "workers", arguments: ["pretrain", "run.yaml", "--threads", "65"], code: 2,
        words: ["65 workers", "--oversubscribe"]),
      Case(
        name: "threads",
        arguments: ["pretrain", "run.yaml", "--threads", "9223372036854775807", "--oversubscribe"],
        code: 2, words: ["per core", "lower --threads"]),
      Case(
        name: "folder", arguments: set(["run=corpus.txt/run"]), code: 2,
        words: ["corpus.txt", "Not a directory", "name another path"]),
      Case(
        name: "a file as a folder", arguments: set(["run=corpus.txt"]), code: 2,
        words: ["corpus.txt", "Not a directory", "name another path"]),
      Case(
        name: "memory", arguments: set(["model.width=131072", "model.layers=16"]), code: 2,
        words: ["model.width", "MiB"]),
      Case(
        name: "disk",
        arguments: set([
          "steps=1000000000", "checkpoint.every=1", "checkpoint.keep=1000000000", "model.width=64",
        ]), code: 5, words: ["no room at", "MiB are free", "checkpoint.keep"]),
      Case(name: "option", arguments: ["pretrain", "--nonsense"], code: 64, words: ["nonsense"]),
      Case(
        name: "no model", arguments: ["generate", "nowhere"], code: 2,
        words: ["nowhere", "does not exist", "run folder"]),
      Case(
        name: "file", arguments: ["generate", "corpus.txt"], code: 2,
        words: ["corpus.txt", "not a folder", "run folder"]),
      Case(
        name: "in a file", arguments: ["generate", "corpus.txt/run"], code: 2,
        words: ["corpus.txt/run", "does not exist"]),
    ]
    let before = try program.contents()
    for mistake in cases {
      let result = try program.run(mistake.arguments)
      #expect(result.code == mistake.code, "\(mistake.name): \(result.errors)")
      for word in mistake.words {
        #expect(result.errors.contains(word), "\(mistake.name): \(result.errors)")
      }
      #expect(!result.errors.contains("Fatal error"), "\(mistake.name)")
      #expect(try program.contents() == before, "\(mistake.name)")
    }
  }

  /// A start that is refused for its data or its steps does not change an earlier run or its
  /// shards.
  @Test func aRefusalDoesNotChangeTheExistingRun() throws {
    try Program.withCorpus { program in
      try program.write("short", to: "short.txt")
      let pretrain = ["pretrain", "run.yaml", "--threads", "1"]
      #expect(try program.run(pretrain).code == 0)
      let before = try program.contents()
      #expect(before.keys.contains("run/data/train.tokens"))
      for (settings, words) in [
        (["data.train=short.txt", "data.validation=0"], ["one window"]),
        (["steps=5"], ["5 steps", "step-00000012 is already at step 12", "--resume never"]),
      ] {
        let result = try program.run(pretrain + settings.flatMap { ["--set", $0] })
        #expect(result.code == 2, "\(result.errors)")
        for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
        #expect(try program.contents() == before, "\(settings)")
      }
    }
  }
}
