import Configuration
import Testing

@Suite struct ConfigurationReaderTests {
  @Test func anEmptyFileGivesTheDefaults() throws {
    for text in ["", "\n\n", "# only a comment\n", "---\n", "{}", "null", "model:\nsteps: ~\n"] {
      var reader = try reader(text)
      let options = try Options(&reader)
      #expect(options.steps == 2000)
      #expect(options.family == .gpt2)
      #expect(options.train == ["corpus/*.txt"])
      #expect(options.keyValueHeads == nil)
    }
  }

  @Test func everyTypeIsRead() throws {
    var reader = try reader(
      """
      seed: -7
      run: 2024                 # a text that looks like a number
      model: { family: llama, kvHeads: 2, tied: false, from: "null", widths: [64, 1_024] }
      data:
        train: a.txt            # one text is a list of one
      steps: 1e3
      optimizer:
        learningRate: 3.e-4
        betas: [.9, 0]
      sample: {temperature: 1}
      """)
    let options = try Options(&reader)
    #expect(options.seed == -7)
    #expect(options.name == "2024")
    #expect(options.family == .llama)
    #expect(options.keyValueHeads == 2)
    #expect(options.tied == false)
    #expect(options.from == "null")
    #expect(options.widths == [64, 1024])
    #expect(options.train == ["a.txt"])
    #expect(options.steps == 1000)
    #expect(options.rate == 3e-4)
    #expect(options.betas == [0.9, 0])
    #expect(options.temperature == 1)
  }

  @Test(arguments: [
    ("12", 12), ("+5", 5), ("-0", 0), ("1_000_000", 1_000_000), ("2.0", 2), ("2.5e1", 25),
    ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min),
    ("9007199254740992.0", 1 << 53),
  ])
  func integersAreParsed(text: String, value: Int) throws {
    var reader = try reader("n: \(text)")
    #expect(try reader.integer("n", default: 1, help: "") == value)
  }

  @Test(arguments: [
    "1.5", "010", "0x10", "0o7", "1__0", "_1", "1_", "ten", "\"12\"", "'1'", "[1]", "{a: 1}",
    "true", "1e", "--1", "+", "1:30", ".inf", "!!str 5",
  ])
  func malformedIntegersAreRefused(text: String) throws {
    var reader = try reader("a: 1\nn: \(text)")
    _ = try reader.integer("a", default: 1, help: "")
    let error = #expect(throws: ConfigurationError.self) {
      try reader.integer("n", default: 1, help: "")
    }
    guard case .wrongType("n", .line(2, of: "run.yaml"), "an integer", _) = error else {
      Issue.record("\(text): \(String(describing: error))")
      return
    }
  }

  @Test(arguments: [
    "9223372036854775808", "-99999999999999999999", "1e20", "1e999", "9007199254740994.0",
  ])
  func integersBeyondTheTypeAreOutOfRange(text: String) throws {
    var reader = try reader("n: \(text)")
    let error = #expect(throws: ConfigurationError.self) {
      try reader.integer("n", default: 1, help: "")
    }
    guard case .outOfRange("n", _, text, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  /// The sentence has the bounds of the key.
  @Test func anIntegerBeyondTheTypeIsReportedWithTheRangeOfTheKey() throws {
    let text = sentence {
      var reader = try reader("n: 99999999999999999999")
      _ = try reader.integer("n", default: 1, in: 1..., help: "")
    }
    #expect(
      text == "run.yaml line 1: n is 99999999999999999999, but it must be "
        + "from 1 to 9223372036854775807, in digits above 2^53.")
  }

  @Test(arguments: [
    "nan", ".nan", ".inf", "-.inf", "infinity", "0x1p3", "1e5x", "+", "e5", ".",
  ])
  func malformedNumbersAreRefused(text: String) throws {
    var reader = try reader("x: \(text)")
    #expect(throws: ConfigurationError.self) { try reader.number("x", default: 1, help: "") }
  }

  @Test(arguments: ["1e999", "-1e400", "1e-999", "0.0003e-400"])
  func numbersBeyondTheTypeAreOutOfRange(text: String) throws {
    var reader = try reader("x: \(text)")
    let error = #expect(throws: ConfigurationError.self) {
      try reader.number("x", default: 1, help: "")
    }
    guard case .outOfRange("x", _, text, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    var zero = try ConfigurationReader(yaml: "x: 0.000e-999", file: "f")
    #expect(try zero.number("x", default: 1, help: "") == 0)
    var whole = try ConfigurationReader(yaml: "x: \(text)", file: "f")
    #expect(throws: ConfigurationError.self) { try whole.integer("x", default: 1, help: "") }
  }

  @Test func valuesOutsideTheRangeAreRefused() throws {
    func refused(_ text: String, _ body: (inout ConfigurationReader) throws -> Void) -> String {
      sentence {
        var reader = try reader(text)
        try body(&reader)
      }
    }
    #expect(
      refused("steps: 0") { _ = try $0.integer("steps", default: 1, in: 1..., help: "") }
        == "run.yaml line 1: steps is 0, but it must be at least 1.")
    #expect(
      refused("x: 1") { _ = try $0.number("x", default: 0, in: 0..<1, help: "") }
        == "run.yaml line 1: x is 1, but it must be from 0 to below 1.")
    #expect(
      refused("x: 0") {
        _ = try $0.number("x", default: 1, in: Double.leastNonzeroMagnitude...1, help: "")
      } == "run.yaml line 1: x is 0, but it must be above 0 and at most 1.")
    #expect(
      refused("x:\n- 0.5\n- -1") { _ = try $0.numbers("x", default: [], in: 0..., help: "") }
        == "run.yaml line 3: x is -1, but it must be at least 0.")
  }

  @Test func requiredKeysAreReadOrReportedMissing() throws {
    var full = try reader("a: yes\nb: [p, q]")
    #expect(try full.string("a", help: "") == "yes")
    #expect(try full.strings("b", help: "") == ["p", "q"])
    try full.finish()
    #expect(
      sentence {
        var reader = try reader("seed: 1\n")
        _ = try reader.integer("seed", default: 1, help: "")
        _ = try reader.strings("data.train", help: "")
      } == "run.yaml: the required key data.train is missing; add it.")
    #expect(
      sentence {
        var reader = try reader("seed: 1\ndata:\n  trian: x\n")
        _ = try reader.strings("data.train", help: "")
      } == "run.yaml: the required key data.train is missing; is it misspelt as data.trian "
        + "(run.yaml line 3)?")
  }

  @Test func wrongTypesAreRefusedWithTheExpectation() {
    func refused(_ text: String, _ overrides: String...) -> String {
      sentence {
        var reader = try ConfigurationReader(yaml: text, file: "run.yaml", overrides: overrides)
        _ = try Options(&reader)
      }
    }
    #expect(
      refused("optimizer:\n  learningRate: fast")
        == "run.yaml line 2: optimizer.learningRate must be a finite number, not \"fast\".")
    #expect(
      refused("steps: \"200\"")
        == "run.yaml line 1: steps must be an integer, not the quoted text \"200\".")
    #expect(
      refused("steps: [1, 2]") == "run.yaml line 1: steps must be an integer, not a list of 2.")
    #expect(refused("run: {a: b}") == "run.yaml line 1: run must be a text, not a section.")
    #expect(
      refused("model:\n  family: bert")
        == "run.yaml line 2: model.family must be one of gpt2, llama, not \"bert\".")
    #expect(
      refused("optimizer: {betas: [0.9]}")
        == "run.yaml line 1: optimizer.betas must be a list of 2 numbers, not a list of 1.")
    #expect(
      refused("model: gpt2")
        == "run.yaml line 1: model must be a section with keys such as model.family, "
        + "not \"gpt2\".")
    #expect(
      refused("data: {train: [a, [b]]}")
        == "run.yaml line 1: data.train must be a text or a list of texts, not a list of 1.")
    #expect(
      refused("data: {train: [a, ~]}")
        == "run.yaml line 1: data.train must be a text or a list of texts, not nothing.")
    #expect(
      refused("", "model.tied=yes")
        == "--set model.tied=yes: model.tied must be true or false, not \"yes\".")
  }

  @Test func aRejectionByTheCallerNamesTheLine() throws {
    var reader = try reader("model:\n  heads: 12\n")
    _ = try reader.integer("model.heads", default: 1, help: "")
    #expect(
      reader.rejection(of: "model.heads", because: "12 heads do not divide the width 128")
        .description
        == "run.yaml line 2: model.heads is refused: 12 heads do not divide the width 128.")
    #expect(
      reader.rejection(of: "model.width", because: "odd").description
        == "run.yaml: model.width is refused: odd.")
  }
}
