import Testing

@testable import Files

@Suite struct JSONReaderTests {
  private static func read(_ text: String) throws -> JSONValue {
    try JSONReader.read(Array(text.utf8))
  }

  @Test func valuesAreRead() throws {
    let value = try Self.read(
      #" {"a": [1, -2.5e1, true, null], "b": {"c": "x\n\u00e9\ud83d\ude00\/"}} "#)
    #expect(value["a"]?.array?.count == 4)
    #expect(value["a"]?.array?[0].integer == 1)
    if case .number(let number)? = value["a"]?.array?[1] { #expect(number == -25) }
    #expect(value["a"]?.array?[2].bool == true)
    #expect(value["a"]?.array?[3].isNull == true)
    #expect(value["b"]?["c"]?.string == "x\né😀/")
  }

  @Test func canonicallyEquivalentKeysStayDistinct() throws {
    // U+00C5 and U+212B are canonically equivalent: equal as Swift strings.
    let members = try #require(try Self.read("{\"\u{C5}\": 1, \"\u{212B}\": 2}").members)
    #expect(members.count == 2)
  }

  @Test func serializedDocumentReadsBack() throws {
    let text = "{\n  \"a\\\"\\\\\\n\\u0001é\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}"
    #expect(String(decoding: try Self.read(text).indented, as: UTF8.self) == text)
  }

  @Test(arguments: [
    ("", 1, "the document ends early"),
    ("{\n\"a\": 1,\n}", 3, "a key in quotation marks is expected"),
    ("{\"a\": 1, \"a\": 2}", 1, "key 'a' is repeated"),
    ("{\"a\" 1}", 1, "':' is expected"),
    ("[1 2]", 1, "',' or ']' is expected"),
    ("[1", 1, "the document ends early"),
    ("[1]\n x", 2, "text follows the document"),
    ("tru", 1, "a value is expected"),
    ("01", 1, "a value is expected"),
    ("1.", 1, "a value is expected"),
    ("-", 1, "a value is expected"),
    ("[\n1e999]", 2, "number 1e999 is out of range"),
    ("\"\n\"", 2, "a string contains a control character"),
    ("\"abc", 1, "a string has no end"),
    ("\"\\x\"", 1, "a string contains an unknown escape"),
    ("\"\\ud83d\"", 1, "a string contains half a surrogate pair"),
    ("\"\\ude00\"", 1, "a string contains half a surrogate pair"),
  ])
  func syntaxErrorIsRefused(_ text: String, _ line: Int, _ reason: String) {
    let error = #expect(throws: JSONSyntaxError.self) { try Self.read(text) }
    #expect(error?.line == line && error?.reason == reason, "\(error as Any)")
  }

  @Test(arguments: [("[1, x]", 4), ("{\"a\": \"\\q\"}", 9), ("[\n0,\n", 5), ("\"\\u00g0\"", 5)])
  func theOffsetIsThatOfTheBytesBefore(_ text: String, _ offset: Int) {
    let error = #expect(throws: JSONSyntaxError.self) { try Self.read(text) }
    #expect(error?.offset == offset, "\(error as Any)")
  }

  @Test func deepNestingAndInvalidUTF8AreRefused() {
    let deep = String(repeating: "[", count: 100_000)
    let nested = #expect(throws: JSONSyntaxError.self) { try Self.read(deep) }
    #expect(nested?.reason == "it is nested too deeply")
    let invalid = #expect(throws: JSONSyntaxError.self) { try JSONReader.read([0x22, 0xFF, 0x22]) }
    #expect(invalid?.reason == "a string is not valid UTF-8")
  }
}
