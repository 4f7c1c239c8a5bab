import Configuration
import RandomNumbers
import Testing

@Suite struct ResolvedTests {
  @Test func everyDefaultIsInTheResolvedText() throws {
    var reader = try reader("model: {family: llama}\nrun: \"007\"")
    _ = try Options(&reader)
    #expect(
      reader.resolved == """
        seed: 1
        run: "007"
        model:
          family: llama
          kvHeads: null
          tied: true
          from: null
          widths: []
          dropout: 0
        data:
          train: [corpus/*.txt]
        steps: 2000
        optimizer:
          learningRate: 0.001
          betas: [0.9, 0.99]
        sample:
          temperature: null

        """)
  }

  @Test func mapsOfTextsAreReadAndWritten() throws {
    var reader = try reader(
      "data: {fields: {text: sentence, label: 7}}", "data.fields.tags=ner")
    let expected = ["text": "sentence", "label": "7", "tags": "ner"]
    #expect(try reader.textMap("data.fields", help: "Names.") == expected)
    #expect(
      reader.resolved == """
        data:
          fields: {label: "7", tags: ner, text: sentence}

        """)
    var again = try ConfigurationTests.reader(reader.resolved)
    #expect(try again.textMap("data.fields", help: "Names.") == expected)
    for override in ["data.fields={text: sentence, label: 7, tags: ner}", "data.fields.tags=ner"] {
      let file = override.contains("{") ? "" : "data: {fields: {text: sentence, label: 7}}"
      var whole = try ConfigurationTests.reader(file, override)
      #expect(try whole.textMap("data.fields", help: "Names.") == expected, "\(override)")
    }
    for broken in ["data.fields={text: sentence", "data.fields={text}: x", "data.fields=x"] {
      var reader = try ConfigurationTests.reader("", broken)
      #expect(throws: ConfigurationError.self, "\(broken)") {
        try reader.textMap("data.fields", help: "Names.")
      }
    }
    var list = try ConfigurationTests.reader("data: {fields: [text]}")
    #expect(throws: ConfigurationError.self) { try list.textMap("data.fields", help: "Names.") }
    var absent = try ConfigurationTests.reader("")
    #expect(try absent.textMap("data.fields", help: "Names.").isEmpty)
    #expect(absent.resolved == "data:\n  fields: {}\n")
  }

  @Test func helpIsWrittenAboveItsKey() throws {
    var reader = try reader("")
    _ = try reader.integer("batch.size", default: 8, in: 1...64, unit: "sequences", help: "Rows.")
    #expect(
      reader.resolved(withHelp: true)
        == "batch:\n  # Rows. (sequences, from 1 to 64)\n  size: 8\n")
  }

  @Test func longListsHaveOneLinePerItem() throws {
    let files = (0..<30).map { "corpus/part-\($0).txt" }
    var reader = try reader("")
    _ = try reader.strings("data.train", default: files, help: "")
    #expect(reader.resolved.hasPrefix("data:\n  train:\n    - corpus/part-0.txt\n    - corpus/"))
    var again = try ConfigurationReader(yaml: reader.resolved, file: "again")
    #expect(try again.strings("data.train", help: "") == files)
  }

  @Test func readingBackGivesTheSameValues() throws {
    var random = RandomSequence(RandomStream(seed: 1, purpose: .probe, 1))
    let alphabet = Array(
      "aZ09 _-.:#'\"\\[]{}&*!|>%@`,?=~<\n\r\t\u{0}\u{7F}\u{85}\u{A0}é漢🐦\u{2028}\u{FEFF}\u{FFFE}"
        .unicodeScalars)
    let words = [
      "", "null", "~", "true", "NO", "1e3", "0x1", ".inf", "- a", "a: b", "<<", "2024-01-01",
    ]
    func text() -> String {
      if Int.random(in: 0..<4, using: &random) == 0 {
        return words[Int.random(in: 0..<words.count, using: &random)]
      }
      var text = ""
      for _ in 0..<Int.random(in: 0..<20, using: &random) {
        text.unicodeScalars.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
      }
      // Yams drops a byte order mark at the start of a scalar.
      return text.unicodeScalars.first == "\u{FEFF}" ? "x" + text : text
    }
    func number() -> Double {
      let bits = Double(bitPattern: random.next())
      return bits.isFinite ? bits : 0.1
    }
    for round in 0..<300 {
      let texts = (0..<Int.random(in: 0..<5, using: &random)).map { _ in text() }
      let numbers = (0..<3).map { _ in number() }
      let integer = Int(truncatingIfNeeded: random.next())
      let single = text()
      let flag = round % 2 == 0
      func options(_ reader: inout ConfigurationReader, _ isFirst: Bool) throws -> [String] {
        let values: [Any] = [
          try reader.strings("a.texts", default: isFirst ? texts : ["?"], help: "Some\ntexts."),
          try reader.numbers("a.b.numbers", default: isFirst ? numbers : [1], help: ""),
          try reader.integer("integer", default: isFirst ? integer : 0, help: ""),
          try reader.string("a.single", default: isFirst ? single : "?", help: ""),
          try reader.boolean("flag", default: isFirst ? flag : !flag, help: ""),
          try reader.number("a.b.number", default: isFirst ? numbers[0] : 1, help: ""),
        ]
        try reader.finish()
        return values.map { "\($0)" }
      }
      var first = try reader("")
      let values = try options(&first, true)
      for withHelp in [false, true] {
        var second = try reader(first.resolved(withHelp: withHelp))
        #expect(try options(&second, false) == values)
        #expect(second.resolved == first.resolved)
      }
    }
  }
}
