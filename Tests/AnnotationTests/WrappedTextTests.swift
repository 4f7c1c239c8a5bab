import Testing

@testable import Annotation

@Suite struct WrappedTextTests {
  @Test func linesBreakAtSpaces() {
    #expect(
      WrappedText.lines(of: "the swift stays in the air", columns: 12)
        == ["the swift", "stays in the", "air"])
    #expect(
      WrappedText.lines(of: "one\n\ntwo three", columns: 13, indentation: 2)
        == ["  one", "", "  two three"])
    #expect(WrappedText.lines(of: "", columns: 12) == [""])
  }

  @Test func longWordsBreakAtTheEndOfTheLine() {
    #expect(
      WrappedText.lines(of: "a 0123456789abcdef", columns: 10) == ["a", "0123456789", "abcdef"])
    // Each of these takes two columns.
    #expect(WrappedText.lines(of: "雨燕雨燕雨燕", columns: 8) == ["雨燕雨燕", "雨燕"])
  }

  @Test func noTextIsLostAndNoLineIsTooWide() {
    let words = (0..<300).map { String(repeating: "x", count: $0 * 7 % 23 + 1) }
    for columns in [20, 33, 80] {
      let lines = WrappedText.lines(of: words.joined(separator: " "), columns: columns)
      #expect(lines.allSatisfy { $0.count <= columns })
      #expect(lines.joined().filter { $0 != " " } == words.joined())
    }
  }

  @Test func controlCharactersAreReplaced() {
    #expect(
      WrappedText.lines(of: "\u{1B}[2J\u{7}a\tb\r\nc\u{9B}1m\u{202E}", columns: 40)
        == ["␛[2J␇a    b", "c␦1m␦"])
  }
}
