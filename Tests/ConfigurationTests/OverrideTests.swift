import Configuration
import Testing

@Suite struct OverrideTests {
  private func refused(_ text: String, _ override: String) -> String {
    sentence {
      var reader = try reader(text, override)
      _ = try Options(&reader)
    }
  }

  @Test func overridesTakePrecedenceAndTheLastWins() throws {
    var reader = try reader(
      "steps: 5\noptimizer: {learningRate: 1}\n",
      "steps=7", "optimizer.learningRate=1e-2", "steps=9", "model.kvHeads=3",
      "optimizer.betas=[0.8, 0.95]", "data.train=*.txt # all: of them", "run=\"a b\"")
    let options = try Options(&reader)
    #expect(options.steps == 9)
    #expect(options.rate == 1e-2)
    #expect(options.keyValueHeads == 3)
    #expect(options.betas == [0.8, 0.95])
    #expect(options.train == ["*.txt # all: of them"])
    #expect(options.name == "a b")
  }

  @Test func anEmptyOverrideRestoresTheDefault() throws {
    var reader = try reader("steps: 5\nmodel: {kvHeads: 4}", "steps=", "model.kvHeads=null")
    let options = try Options(&reader)
    #expect(options.steps == 2000)
    #expect(options.keyValueHeads == nil)
  }

  /// As from `--set run=$RUN` with an unset variable.
  @Test func anEmptyOverrideOfATextIsRefused() {
    #expect(refused("", "run=") == "--set run=: run must be a text, not nothing.")
    #expect(
      refused("run: a", "data.train=")
        == "--set data.train=: data.train must be a text or a list of texts, not nothing.")
    let choice = sentence {
      var reader = try reader("", "family=")
      _ = try reader.choice("family", of: ["gpt2", "llama"], default: "gpt2", help: "")
    }
    #expect(choice == "--set family=: family must be one of gpt2, llama, not nothing.")
  }

  @Test(arguments: ["steps", "=5", ".steps=5", "a..b=1", "a b=1", "stéps=1", "optimizer.=1"])
  func malformedOverridesAreRefused(override: String) {
    let text = refused("", override)
    #expect(text.hasPrefix("--set \(override): "))
    #expect(text.hasSuffix("; an override has the form key.path=value."))
  }

  @Test func sectionsCannotBeSet() {
    #expect(
      refused("", "model={tied: true}")
        == "--set model={tied: true}: model must be a section with keys such as model.family, not "
        + "\"{tied: true}\".")
    #expect(refused("model: {tied: true}", "model=x").contains("its key is a section"))
    #expect(refused("steps: 5", "steps.more=1").contains("more would be inside a value"))
    #expect(refused("", "model=x").contains("must be a section"))
    #expect(refused("", "data.train=[a, {b: c}]").contains("must be a text or a list of texts"))
  }

  @Test func brokenListsAreRefused() {
    #expect(refused("", "data.train=[a").hasPrefix("--set data.train=[a: "))
    #expect(refused("", "run=\"a").hasPrefix("--set run=\"a: "))
    #expect(refused("", "data.train=[*a]").contains("undefined alias"))
    #expect(refused("", "run=\"a\": b").contains("a section cannot be set"))
  }

  /// A text that begins with [ needs no quotes.
  @Test(arguments: ["[0-9]+", "[0-9]", "[a, b]", "[", "[*a]"])
  func aTextMayBeginWithABracket(_ text: String) throws {
    var reader = try reader("", "run=\(text)")
    #expect(try reader.string("run", default: "", help: "") == text)
    try reader.finish()
  }

  @Test func unknownOverridesAreRefused() {
    #expect(
      refused("", "optimizer.learningrat=1")
        == "--set optimizer.learningrat=1: there is no key optimizer.learningrat; "
        + "did you mean optimizer.learningRate?")
  }
}
