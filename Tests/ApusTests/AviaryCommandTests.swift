import Foundation
import Testing

/// The files that `apus data aviary` writes: their format, their bytes, and refused arguments.
@Suite(.serialized) struct AviaryCommandTests {
  private func lines(_ data: Data?) throws -> [[String: Any]] {
    try String(decoding: data ?? Data(), as: UTF8.self).split(separator: "\n").map {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
    }
  }

  @Test func filesHaveTheFormatOfTheirKindAndReproducibleBytes() throws {
    let program = try Program()
    defer { program.remove() }
    func write(_ arguments: String, to name: String) throws -> Data {
      let words = ["data", "aviary"] + arguments.split(separator: " ").map(String.init)
      let result = try program.run(words + ["--count", "40", "--output", name])
      #expect(result.code == 0 && result.output.contains(name), "\(result.errors)")
      return program.read(name) ?? Data()
    }
    let stories = try write("--kind stories --small", to: "stories.jsonl")
    let instructions = try write("--kind instructions --small", to: "instructions.jsonl")
    let prompts = try write("--kind prompts --small", to: "prompts.jsonl")
    let texts = try lines(stories).map { $0["text"] as? String }
    let asked = try lines(prompts).map { $0["prompt"] as? String }
    let conversations = try lines(instructions).map { $0["messages"] as? [[String: String]] ?? [] }
    #expect(texts.count == 40 && asked.count == 40 && conversations.count == 40)
    #expect(conversations.allSatisfy { $0.map { $0["role"] } == ["user", "assistant"] })
    #expect(conversations.map { $0[0]["content"] } == asked)
    #expect(conversations.map { $0[1]["content"] } == texts)
    #expect(texts.allSatisfy { $0?.hasSuffix(".") == true })

    #expect(try write("--kind stories --small", to: "again.jsonl") == stories)
    for other in ["--kind stories", "--kind stories --small --seed 2"] {
      #expect(try write(other, to: "other.jsonl") != stories)
    }
    let heldOut = try lines(write("--kind stories --small --held-out", to: "held-out.jsonl"))
    #expect(Set(heldOut.map { $0["text"] as? String }).isDisjoint(with: texts))
  }

  @Test func everyAnnotatorJudgesEveryPair() throws {
    let program = try Program()
    defer { program.remove() }
    let stories = ["data", "aviary", "--kind", "stories", "--count", "80", "--output", "stories"]
    #expect(try program.run(stories).code == 0)
    let texts = try lines(program.read("stories")).compactMap { $0["text"] as? String }
    let pairs = try (0..<40).map { index in
      let pair = ["pair": "p\(index)", "first": texts[2 * index], "second": texts[2 * index + 1]]
      return String(decoding: try JSONSerialization.data(withJSONObject: pair), as: UTF8.self)
    }
    try program.write(pairs.joined(separator: "\n") + "\n", to: "pairs")
    let judge = ["data", "aviary", "judge", "pairs", "--annotator", "eva", "--annotator", "ivo"]
    #expect(try program.run(judge + ["--output", "answers"]).code == 0)
    #expect(try program.run(judge + ["--output", "new/again"]).code == 0)
    #expect(program.read("answers") == program.read("new/again"))
    let answers = try lines(program.read("answers"))
    #expect(
      answers.map { $0["annotator"] as? String }
        == ["eva", "ivo"].flatMap { Array(repeating: $0, count: 40) })
    #expect(answers.prefix(40).map { $0["pair"] as? String } == (0..<40).map { "p\($0)" })
    let known = Set(["first", "second", "tie", "bothBad", "skip"])
    let said = answers.compactMap { $0["answer"] as? String }
    #expect(said.count == 80 && known.isSuperset(of: said))
    #expect(said.contains("first") && said.contains("second"))

    try program.write(pairs[0] + "\n{\"pair\": 7}\n", to: "broken")
    let result = try program.run(["data", "aviary", "judge", "broken", "--output", "x"])
    #expect(result.code == 2 && result.errors.contains("broken:2"), "\(result)")
    #expect(program.read("x") == nil)
  }

  @Test func mistakesFailWithASentence() throws {
    let program = try Program()
    defer { program.remove() }
    for (arguments, code, word) in [
      (["--kind", "poems", "--count", "1", "--output", "x"], 64, "poems"),
      (["--kind", "stories", "--count", "0", "--output", "x"], 64, "--count"),
      (["--kind", "stories", "--count", "1", "--output", "/proc/none/x"], 5, "/proc/none"),
    ] as [([String], Int32, String)] {
      let result = try program.run(["data", "aviary"] + arguments)
      #expect(result.code == code && result.errors.contains(word), "\(result)")
    }
    #expect(program.names(in: ".").isEmpty)
  }
}
