import Configuration
import Foundation
import Testing

@testable import Recipes

@Suite struct RecipeTests {
  private func recipe(_ yaml: String) throws -> Recipe {
    try Recipe(ConfigurationReader(yaml: yaml, file: "recipe.yaml"))
  }

  private func sentence(_ yaml: String) -> String {
    do {
      _ = try recipe(yaml)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  private let road = """
    run: runs/road
    stages:
      - name: words
        command: tokenizer train corpus --output ${words}
      - name: base
        phase: pretrain
        keys: { tokenizer: "${words}", steps: 7 }
      - name: last
        command: [generate, "${base}", two words]
    """

  @Test func referencesBecomeFoldersOfEarlierStages() throws {
    let recipe = try recipe(road)
    #expect(recipe.stages.map(\.name) == ["words", "base", "last"])
    #expect(recipe.stages.map(\.inputs) == [[], ["words"], ["base"]])
    guard case .command(let words) = recipe.stages[0].work,
      case .phase(let phase, var reader) = recipe.stages[1].work,
      case .command(let last) = recipe.stages[2].work
    else {
      Issue.record("\(recipe)")
      return
    }
    #expect(words == ["tokenizer", "train", "corpus", "--output", "runs/road/words"])
    #expect(last == ["generate", "runs/road/base", "two words"])
    #expect(phase == "pretrain")
    #expect(try reader.string("run", default: "", help: "") == "runs/road/base")
    #expect(try reader.string("tokenizer", default: "", help: "") == "runs/road/words")
    #expect(try reader.integer("steps", default: 1, help: "") == 7)
    try reader.finish()
  }

  /// A command is split as a shell splits it, before folders take the place of their stages' names.
  @Test(arguments: [
    (#"generate M "Once upon" 'a "b"' c\ d"#, ["generate", "M", "Once upon", #"a "b""#, "c d"]),
    (#"x --set run=""  ''"#, ["x", "--set", "run=", ""]), (#""a\"\n$" 'b\'"#, [#"a"\n$"#, #"b\"#]),
    ("x ${a} '${a} b'", ["x", "my runs/a", "my runs/a b"]), ("it''s ok", ["its", "ok"]),
  ])
  func commandsAreSplitIntoWords(_ command: String, _ words: [String]) throws {
    let recipe = try recipe(
      """
      run: my runs
      stages:
        - name: a
          command: |-
            \(command)
      """)
    guard case .command(let found) = recipe.stages[0].work else {
      Issue.record("\(recipe)")
      return
    }
    #expect(found == words)
    #expect(CommandWords.split(recipe.stages[0].commandText ?? "") == words)
    for open in ["a 'b", #"a "b"#, #"a \"#] { #expect(CommandWords.split(open) == nil) }
  }

  @Test func keysOverrideThoseOfTheFileSectionBySection() throws {
    let file = "\(NSTemporaryDirectory())/recipe-\(UUID().uuidString).yaml"
    try Data("{ steps: 1, model: { layers: 2, width: 8 } }".utf8).write(
      to: URL(fileURLWithPath: file))
    defer { try? FileManager.default.removeItem(atPath: file) }
    let recipe = try recipe(
      """
      run: r
      stages: [{ name: a, phase: pretrain, file: \(file), keys: { model: { width: 16 } } }]
      """)
    guard case .phase(_, var reader) = recipe.stages[0].work else {
      Issue.record("\(recipe)")
      return
    }
    #expect(try reader.integer("steps", default: 9, help: "") == 1)
    #expect(try reader.integer("model.layers", default: 9, help: "") == 2)
    #expect(try reader.integer("model.width", default: 9, help: "") == 16)
  }

  @Test(arguments: [
    ("run: r", "stages"),
    ("{ run: r, stages: [] }", "a list of sections"),
    ("{ run: r, stages: [a] }", "a list of sections"),
    ("{ run: r, stages: [{ name: a/b, command: x }] }", "letters, digits"),
    ("{ run: r, stages: [{ name: a, command: x }, { name: a, command: y }] }", "another stage"),
    ("{ run: r, stages: [{ name: a, command: 'x ${b}' }, { name: b, command: y }] }", "${b}"),
    ("{ run: r, stages: [{ name: a }] }", "either command, or phase"),
    ("{ run: r, stages: [{ name: a, command: x, phase: pretrain }] }", "either command, or phase"),
    ("{ run: r, stages: [{ name: a, command: x, keys: { b: 1 } }] }", "either command, or phase"),
    ("{ run: r, stages: [{ name: a, comand: x }] }", "command"),
    ("{ run: '', stages: [{ name: a, command: x }] }", "an empty path"),
  ])
  func malformedRecipesAreRefused(yaml: String, part: String) {
    #expect(sentence(yaml).contains(part), "\(sentence(yaml))")
  }

  @Test func aRecordReadsBackAndCanBeRemoved() throws {
    let folder = "\(NSTemporaryDirectory())/recipe-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(try StageRecord.read("a", in: folder) == nil)
    let record = StageRecord(text: "steps: 3\n", inputs: ["b": "0f"])
    try record.write("a", in: folder)
    #expect(try StageRecord.read("a", in: folder) == record)
    #expect(record.digest != StageRecord(text: "steps: 4\n", inputs: ["b": "0f"]).digest)
    #expect(record.digest != StageRecord(text: "steps: 3\n", inputs: ["b": "0e"]).digest)
    try Data("half".utf8).write(to: URL(fileURLWithPath: "\(folder)/a.done.json"))
    #expect(try StageRecord.read("a", in: folder) == nil)
    try StageRecord.remove("a", in: folder)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }
}
