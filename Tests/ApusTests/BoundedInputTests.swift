import Foundation
import Glibc
import Testing

/// Files that would take time or memory without end: each is computed in bounded time, or refused
/// with one sentence, its limit and exit code 2.
@Suite(.serialized) struct BoundedInputTests {
  /// Runs `apus` with 3 GiB of address space for at most 30 seconds.
  private func run(_ arguments: [String], _ program: Program) throws -> Program.Result {
    let (process, output, errors) = try program.start(
      "/bin/bash",
      ["-c", #"ulimit -v 3145728; exec "$0" "$@""#, Program.executable] + arguments)
    return Program.finish(process, output, errors, limit: 30)
  }

  private func expectRefusal(
    _ arguments: [String], _ word: String, _ program: Program,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try run(arguments, program)
    #expect(
      result.code == 2 && result.output.isEmpty, "\(result)", sourceLocation: sourceLocation)
    #expect(
      result.errors.contains(word) && result.errors.split(separator: "\n").count == 1,
      "\(result.errors)", sourceLocation: sourceLocation)
  }

  private func link(_ name: String, to target: String, in program: Program) throws {
    try FileManager.default.createSymbolicLink(
      atPath: "\(program.folder)/\(name)", withDestinationPath: target)
  }

  @Test func adaptersThatAreTheirOwnBaseAreRefused() throws {
    try Program.withModel { program in
      #expect(
        try program.run(
          ["finetune"] + Program.short("lora", "data.train=talk.jsonl", "lora.rank=1")
        ).code == 0)
      let adapter = "lora/checkpoints/step-00000002"
      let configuration = try #require(program.read("\(adapter)/adapter_config.json"))
      let weights = try #require(program.read("\(adapter)/adapter_model.safetensors"))
      for (name, base) in [
        ("own", "own"), ("a", "b"), ("b", "c"), ("c", "a"), ("slow", "base"),
      ] {
        var json =
          try JSONSerialization.jsonObject(with: configuration) as? [String: Any] ?? [:]
        json["base_model_name_or_path"] = base
        if name == "slow" { json["target_modules"] = "((.+)+)+!" }
        try program.write(
          try JSONSerialization.data(withJSONObject: json), to: "\(name)/adapter_config.json")
        try program.write(weights, to: "\(name)/adapter_model.safetensors")
      }
      for name in ["own", "a"] {
        try expectRefusal(["generate", name, "x"], "is its own base", program)
        try expectRefusal(["model", "inspect", name], "is its own base", program)
      }
      try expectRefusal(["generate", "slow", "x"], "takes too long to match the module", program)
    }
  }

  @Test func linksBetweenFoldersAreFollowedOnce() throws {
    let program = try Program()
    defer { program.remove() }
    for index in 0..<12 { try program.write("text \(index)", to: "f/\(index)/a.txt") }
    for (from, to) in (0..<144).map({ ($0 / 12, $0 % 12) }) {
      try link("f/\(from)/to\(to)", to: "../\(to)", in: program)
    }
    for source in ["f", "f/**/*.txt", "f/**", "f/*/*/*/*/*/*/*/*/*.txt"] {
      let built = try run(
        ["data", "build", source, "--validation", "0", "--output", "out"], program)
      #expect(built.code == 0 && built.output.contains("12 documents"), "\(source): \(built)")
    }
  }

  @Test func whatIsNoRegularFileIsNotRead() throws {
    try Program.withModel { program in
      #expect(try program.run(["export", "base", "--output", "model"]).code == 0)
      try program.write(#"{"text":"a"}"#, to: "records.jsonl")
      let commands: [(path: String, arguments: [String])] = [
        ("model/tokenizer.json", ["generate", "model", "x"]),
        ("model/tokenizer_config.json", ["generate", "model", "x"]),
        ("model/config.json", ["generate", "model", "x"]),
        ("model/generation_config.json", ["generate", "model", "x"]),
        ("model/model.safetensors", ["generate", "model", "x"]),
        ("run.yaml", ["pretrain", "run.yaml"]), ("run.yaml", ["run", "run.yaml", "--dry-run"]),
        ("records.jsonl", ["data", "inspect", "records.jsonl"]),
        ("corpus.txt", ["data", "build", "corpus.txt", "--output", "out"]),
        ("corpus.txt", ["embed", "base", "--file", "corpus.txt"]),
        ("corpus.txt", ["data", "aviary", "judge", "corpus.txt", "--output", "out"]),
        ("corpus.txt", ["annotate", "report", "corpus.txt"]),
        ("pairs.jsonl", ["annotate", "x.sqlite", "--pairs", "pairs.jsonl"]),
      ]
      for (path, arguments) in commands {
        let whole = try #require(program.read(path))
        for device in [nil, "/dev/zero"] {
          unlink("\(program.folder)/\(path)")
          if let device {
            try link(path, to: device, in: program)
          } else {
            #expect(mkfifo("\(program.folder)/\(path)", 0o600) == 0)
          }
          try expectRefusal(arguments, "a regular file", program)
        }
        unlink("\(program.folder)/\(path)")
        try program.write(whole, to: path)
      }
      // A pipe that the shell opened is read.
      let pipe = #""$0" config <(sleep 0.2; echo data: {train: x})"#
      let piped = try program.start("/bin/bash", ["-c", pipe, Program.executable])
      let result = Program.finish(piped.0, piped.1, piped.2)
      #expect(result.code == 0 && result.output.contains("train: [x]"), "\(result)")
    }
  }

  @Test func whatInflatesOrIsTooLongIsRefused() throws {
    let program = try Program()
    defer { program.remove() }
    // A line of 160 MB in 0.7 MB, and a file of 640 MB.
    let pack = #"""
      line() { head -c 160000000 /dev/zero | tr '\0' a; }
      line | gzip -1 > long.jsonl.gz
      for i in 1 2 3 4; do line; done | gzip -1 | tee long.json.gz > long.csv.gz
      cp long.csv.gz long.txt.gz
      """#
    let packing = try program.start("/bin/bash", ["-c", pack])
    #expect(Program.finish(packing.0, packing.1, packing.2).code == 0)
    try expectRefusal(
      ["data", "inspect", "long.jsonl.gz"], "more than 134217728 bytes", program)
    for name in ["long.json.gz", "long.csv.gz"] {
      try expectRefusal(["data", "inspect", name], "more than 536870912 bytes", program)
    }
    try expectRefusal(
      ["data", "build", "long.jsonl.gz", "--output", "out"], "more than 134217728 bytes", program)
    try expectRefusal(
      ["data", "build", "long.txt.gz", "--output", "out"], "more than 536870912 bytes", program)
  }

  /// A table of very many columns takes linear time, and a sentence that quotes a file is cut.
  @Test func wideTablesAndLongValuesAreShort() throws {
    try Program.withModel { program in
      let columns = (0..<200_000).map { "c\($0)" }
      try program.write(
        columns.joined(separator: ",") + "\n" + columns.joined(separator: ",") + "\n",
        to: "wide.csv")
      let clock = ContinuousClock()
      let start = clock.now
      let wide = try program.run(["data", "inspect", "wide.csv", "--tokenizer", "bytes"])
      #expect(wide.code == 2 && clock.now - start < .seconds(20), "\(wide.errors.prefix(300))")
      try program.write(#"{"text": "a", "label": "b"}"#, to: "l.jsonl")
      let long = try program.run(
        ["finetune"] + Program.short("long") + ["--set", "data.train=l.jsonl", "--set"]
          + ["data.fields={text: \(String(repeating: "x", count: 100_000))}"])
      #expect(long.code != 0 && long.errors.utf8.count < 6000, "\(long.errors.prefix(300))")
    }
  }

  /// A conversation of 100,000 messages is encoded in time proportional to its length.
  @Test func longConversationsAreEncodedInBoundedTime() throws {
    let program = try Program()
    defer { program.remove() }
    let messages = (0..<100_000).map {
      #"{"role":"\#($0 % 2 == 0 ? "user" : "assistant")","content":"\#($0 % 10)"}"#
    }
    try program.write(
      #"{"messages":[\#(messages.joined(separator: ","))]}"#, to: "long.jsonl")
    let result = try run(
      ["data", "inspect", "long.jsonl", "--template", "plain", "--examples", "0"], program)
    #expect(result.code == 0 && result.output.contains("1 example of 200000 tokens"), "\(result)")
  }

  /// Tokenizers whose parts would take exponential time or lengthen a text without bound.
  @Test func tokenizersThatExplodeAreComputedOrRefused() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(Program.corpus, to: "a.txt")
    let train = ["tokenizer", "train", "a.txt", "--kind", "wordpiece", "--vocabulary", "120"]
    #expect(try run(train + ["--output", "words"], program).code == 0)
    let whole = try #require(program.read("words/tokenizer.json"))
    func write(_ part: String, _ value: Any) throws {
      var json = try JSONSerialization.jsonObject(with: whole) as? [String: Any] ?? [:]
      json[part] = value
      try program.write(
        try JSONSerialization.data(withJSONObject: json), to: "bomb/tokenizer.json")
    }
    let encode = ["tokenizer", "encode", "--tokenizer", "bomb/tokenizer.json"]
    try write(
      "pre_tokenizer",
      ["type": "Split", "behavior": "Isolated", "invert": false, "pattern": ["Regex": "(a+)+$"]])
    let split = try run(encode + [String(repeating: "a", count: 60) + "b"], program)
    #expect(split.code == 0, "\(split)")
    func replacement(_ length: Int) -> [String: Any] {
      [
        "type": "Replace", "pattern": ["String": "a"],
        "content": String(repeating: "a", count: length),
      ]
    }
    try write("normalizer", replacement(4))
    #expect(try run(encode + ["aaaa"], program).code == 0)
    let bombs: [(String, Any)] = [
      ("normalizer", replacement(1_000_000)),
      (
        "normalizer",
        ["type": "Sequence", "normalizers": Array(repeating: replacement(4), count: 20)]
      ),
      ("decoder", replacement(1_000_000)),
    ]
    for (part, value) in bombs {
      try write(part, value)
      try expectRefusal(encode + ["aaaa"], "more than 1024 times", program)
    }
  }

  @Test func vocabulariesAreAsLargeAsTheTextNeeds() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write("a small text", to: "a.txt")
    for kind in ["bpe", "wordpiece", "unigram"] {
      let train = ["tokenizer", "train", "a.txt", "--kind", kind, "--output", "out"]
      let result = try run(train + ["--vocabulary", "16000000"], program)
      #expect(result.code == 0, "\(result)")
      for size in ["200000000", "\(Int.max)"] {
        let refused = try run(train + ["--vocabulary", size], program)
        #expect(refused.code == 64 && refused.output.isEmpty, "\(refused)")
        #expect(refused.errors.contains("above 16777216"), "\(refused.errors)")
      }
    }
  }
}
