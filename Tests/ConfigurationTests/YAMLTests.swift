import Configuration
import Testing

@Suite struct YAMLTests {
  private func refused(_ text: String) -> String {
    sentence {
      var reader = try reader(text)
      _ = try Options(&reader)
    }
  }

  @Test func syntaxErrorsNameTheirLine() {
    let unclosed = refused("seed: 1\nmodel: {family: gpt2\nsteps: 3\n")
    #expect(unclosed.hasPrefix("run.yaml line "))
    #expect(unclosed.contains("this is not valid YAML"))
    let tab = refused("model:\n\tfamily: gpt2\n")
    #expect(tab.hasPrefix("run.yaml line 2 column 1: this is not valid YAML: "))
    #expect(tab.hasSuffix("indent with spaces, and put values with special characters in quotes."))
    let star = refused("data:\n  train: *.txt\n")
    #expect(star.hasPrefix("run.yaml line 2 column "))
    #expect(star.hasSuffix("put a value that begins with * in quotes."))
    #expect(refused("a: *nobody").hasSuffix("put a value that begins with * in quotes."))
    #expect(refused("a: 1\n---\nb: 2\n").hasSuffix("put only one document in a file."))
    #expect(refused("a: \"x\u{1}\"").contains("control characters are not allowed"))
    #expect(refused("seed: 1\r\nrun: \u{1}").hasPrefix("run.yaml line 2 column 6: "))
  }

  @Test func everyErrorIsOneSentence() {
    for text in ["a: [", "- a", "3", "a: 1\na: 2", "? [a]\n: 1", "<<: {a: 1}", "a: !x 1"] {
      let sentence = refused(text)
      #expect(sentence.hasSuffix("."))
      #expect(!sentence.contains("\n"))
    }
  }

  @Test func aFileThatIsNotAMapIsRefused() {
    #expect(
      refused("- a\n- b")
        == "run.yaml line 1: a configuration is a list of lines \"key: value\", not a list of 2.")
    #expect(refused("\nhello\n").contains("line 2: a configuration is a list of lines"))
  }

  @Test func duplicateKeysAreRefused() {
    #expect(
      refused("seed: 1\nsteps: 2\nseed: 1\n")
        == "run.yaml line 3: the key \"seed\" occurs twice in its section; remove one.")
    let nested = "model:\n  tied: true\n  # tied:\n  from:\n    tied: no\n  tied: false\n"
    #expect(refused(nested).hasPrefix("run.yaml line 6: "))
    #expect(refused("model: {tied: true, \"tied\": false}").contains("\"tied\" occurs twice"))
    #expect(refused("!!int 5: 1\n5: 2").contains("\"5\" occurs twice"))
  }

  @Test func aliasesAreResolved() throws {
    var reader = try reader("run: &name runs/a\nmodel: {from: *name}\ndata: {train: [*name, b]}")
    let options = try Options(&reader)
    #expect(options.from == "runs/a")
    #expect(options.train == ["runs/a", "b"])
  }

  @Test func unsupportedFeaturesAreNamed() {
    #expect(
      refused("a: &a {tied: true}\nmodel:\n  <<: *a\n")
        == "run.yaml line 3: a configuration cannot use the merge key <<; "
        + "write the merged keys out.")
    #expect(
      refused("optimizer.learningRate: 1")
        == "run.yaml line 1: a configuration cannot use the dot in the key "
        + "\"optimizer.learningRate\"; nest the keys: dots are for --set.")
    #expect(refused("? [a]\n: 1").contains("a list or map as a key"))
    #expect(refused("seed: !!binary aGk=").contains("the tag \"tag:yaml.org,2002:binary\""))
    let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
    #expect(refused("seed: \(deep)").contains("or 32 levels"))
    let deepest = String(repeating: "[", count: 100_000)
    #expect(refused("seed: \(deepest)").contains("not valid YAML"))
  }

  @Test func billionLaughsAreRefusedQuickly() {
    var bomb = "l0: &l0 [a, a, a, a, a, a, a, a, a]\n"
    for level in 1...30 {
      let items = Array(repeating: "*l\(level - 1)", count: 9).joined(separator: ", ")
      bomb += "l\(level): &l\(level) [\(items)]\n"
    }
    let keys = ["? [*l30]\n: 1\n", "k: {[*l30]: 1}\n", "*l30 : 1\n", "k: {? *l30 : 1}\n", ""]
    for key in keys {
      let clock = ContinuousClock()
      var text = ""
      let time = clock.measure { text = refused(bomb + key) }
      #expect(time < .seconds(2), "\(key)")
      #expect(text.contains("cannot use"), "\(text)")
    }
  }

  @Test func starsInOrdinaryTextAreNotAliases() throws {
    var reader = try reader(
      """
      # *note: lists [like this]: are fine
      data: {train: ["a*.txt", corpus/*.txt]}
      run: "[x]: y"
      """)
    #expect(try reader.strings("data.train", help: "") == ["a*.txt", "corpus/*.txt"])
    #expect(try reader.string("run", help: "") == "[x]: y")
  }
}
