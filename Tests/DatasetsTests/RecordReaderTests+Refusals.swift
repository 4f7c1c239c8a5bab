import Testing

@testable import Datasets

/// Numbers that would change, and tables that are separated otherwise.
extension RecordReaderTests {
  /// A number that 64 bits do not hold would be rendered with other digits.
  @Test func numbersThatLoseDigitsAreRefused() throws {
    func record(_ number: String, at place: String) -> String {
      let call =
        #"{"function": {"name": "f", "arguments": {"x": [\#(place == "call" ? number : "1")]}}}"#
      let tool =
        #"{"type": "function", "function": {"maximum": \#(place == "tool" ? number : "1")}}"#
      return #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "#
        + #""tool_calls": [\#(call)]}, {"role": "tool", "content": "r"}, {"role": "assistant", "#
        + #""content": "a"}], "tools": [\#(tool)]}"#
    }
    for (place, field) in [("call", "messages[1].tool_calls"), ("tool", "tools")] {
      for number in ["9223372036854775808", "-1e30"] {
        let found = try #require(try defect(record(number, at: place)))
        #expect(found.0 == .inexactNumber(field: field))
      }
      #expect(try defect(record("9223372036854775807", at: place)) == nil)
    }
  }

  @Test func anErrorShowsTheBeginningOfALongNumber() throws {
    let found = try #require(
      try defect(#"{"text": "a", "label": \#(String(repeating: "9", count: 100_000))}"#))
    let text = "\(found.0)"
    #expect(text.contains("99999999999999999999… of 100000 characters is out of range"))
    #expect(text.count < 200)
  }

  /// A label of a table is its text, unless it is written as JSON would write the number.
  @Test func codesOfATableAreNames() throws {
    let labels = ["1e2", "100", "0100", "0x64", "+100", "1.0", "-2", "1E2", "0", "1_0", ".5"]
    let rows = labels.enumerated().map { "t\($0.offset),\($0.element)" }
    let found = try read("a.csv", "text,label\n" + rows.joined(separator: "\n")).records.map {
      guard case .labelled(_, let label) = $0.record else { return "" }
      if case .number(let number) = label { return "number \(number)" }
      return label.text
    }
    #expect(
      found == [
        "1e2", "number 100.0", "0100", "0x64", "+100", "number 1.0", "number -2.0", "1E2",
        "number 0.0", "1_0", ".5",
      ])
  }

  @Test(arguments: [";", "\t", "|"]) func otherSeparatorsOfColumnsAreNamed(separator: String) throws
  {
    let found = try #require(
      try defect("text\(separator)label\na\(separator)b\n", name: "a.csv"))
    #expect("\(found.0)".contains("separated by '\(separator == "\t" ? "\\t" : separator)'"))
    // A single column may have any name without them.
    let single = try defect("prompt\na\n", name: "a.csv")
    #expect(single == nil)
  }
}
