import RandomNumbers
import Testing

@testable import Tokenizers

@Suite struct PatternTests {
  private static func words(_ pattern: TextPattern, _ text: String) -> [String] {
    Array(text.utf8).withUnsafeBufferPointer { bytes in
      pattern.matches(in: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
    }
  }

  /// Compares the hand-written scanners with the expressions that they implement.
  @Test(arguments: [
    WordScanner.expression, CasedWordScanner.expression(digits: 3),
    CasedWordScanner.expression(digits: 1),
  ])
  func scannerFollowsItsExpression(_ expression: String) throws {
    let scanner = try TextPattern(expression: expression)
    let general = TextPattern.expression(try Pattern(expression))
    #expect(scanner.cutsWithoutGaps && !general.cutsWithoutGaps)
    let pieces = [
      "'s", "'LL", "'ſ", "'x", " ", "  ", "\n", "\r\n", "\t", "a", "Zoë", "1", "42", "٣", "½", "!",
      "…", "\u{A0}", "\u{3000}", "\u{301}", "陽", "😀", "'", "\u{7F}",
    ]
    var random = RandomSequence(RandomStream(seed: 4, purpose: .probe, 0))
    for length in 0..<400 {
      let text = (0..<length % 17).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      #expect(Self.words(scanner, text) == Self.words(general, text), "\(text.debugDescription)")
    }
  }

  @Test(arguments: [
    (#"a+?b"#, "aab ab", ["aab", "ab"]), (#"(?:ab)*+a"#, "ababa", ["ababa"]),
    (#"(?:a|ab)(?:c|bcd)"#, "abcd", ["abcd"]), (#"\d{2,3}"#, "1 12345", ["123", "45"]),
    (#"x(?=y)|y(?!x)"#, "xyx yy", ["x", "y", "y"]), (#"\A +| +\z"#, "  a b ", ["  ", " "]),
    (#"^.|.$"#, "ab\ncd", ["a", "b", "c", "d"]), (#"[^a-c\s]+"#, "abcxyz d", ["xyz", "d"]),
    (#"[\p{Lu}\p{M}]\P{L}"#, "A1b2É3", ["A1", "É3"]), (#"(?i:KEY)"#, "\u{212A}ey", ["\u{212A}ey"]),
    (#"\u00e9|\x41|\x{1F600}"#, "éA😀", ["é", "A", "😀"]), (#"[\]\-]"#, "]-a", ["]", "-"]),
    (#"a{,2}b"#, "aaab", ["aab"]),
  ])
  func matchesFollowOniguruma(_ expression: String, _ text: String, _ expected: [String]) throws {
    #expect(Self.words(.expression(try Pattern(expression)), text) == expected)
  }

  @Test(arguments: [
    (#"(?<=a)b"#, "group '(?<='"), (#"\p{Han}"#, #"property '\p{Han}'"#),
    ("(a", "an unmatched '('"),
    ("a)", "an unmatched ')'"), ("[a", "an unmatched '['"),
    ("(?:a*)*", "a repetition of a possibly empty pattern"),
    ("a{2000}", "a repetition count above 1000"), (#"\b"#, #"escape '\b'"#),
    ("[z-a]", "a range in reverse order"),
    ("*a", "a quantifier without an operand"), ("[a&&b]", "'&&' in a class"),
    ("\\", "an unexpected end"),
  ])
  func errorNamesTheUnsupportedSyntax(_ expression: String, _ construct: String) {
    #expect(throws: PatternError(construct: construct)) { try Pattern(expression) }
  }

  /// Expressions that take exponential time where failed choices are tried again.
  @Test(
    .timeLimit(.minutes(1)),
    arguments: ["(a+)+$", "(a|aa)+$", "(a|a?a)+c", "(a+a+)+c", "(?=(a+)+c)a", "((a+)+|b)+c"])
  func backtrackingTakesBoundedTime(_ expression: String) throws {
    let pattern = TextPattern.expression(try Pattern(expression))
    #expect(Self.words(pattern, String(repeating: "a", count: 400) + "b").isEmpty)
  }

  /// Expressions whose compilation takes bounded time.
  @Test(.timeLimit(.minutes(1))) func compilationTakesBoundedTime() throws {
    let open = String(repeating: "(?:", count: 30)
    let nothing = open + "ab){0}" + String(repeating: "){1000}", count: 29)
    #expect(Self.words(.expression(try Pattern(nothing)), "abab").isEmpty)
    let scalars = (0x4E00..<0x4E00 + 20_000).compactMap { Unicode.Scalar($0) }
    let many = scalars.map { "\($0)" }.joined(separator: "|")
    #expect(Self.words(.expression(try Pattern(many)), "\(scalars[1999])") == ["\(scalars[1999])"])
    #expect(throws: PatternError.self) {
      try Pattern("(?:(?:ab){1000}){1000}")
    }
  }

  /// Remembering failed choices changes no match.
  @Test func failedChoicesChangeNoMatch() throws {
    let expressions = [
      "(a+)+$", "(a|aa)+b?", "(a|ab)(c|bcd)*", "a*?b|a+", "(?:a+|b)++c|.", "(?=a+b)a|b+(?!a)",
      "((a|b)+c)*+a", "^a+?|(b|bc)*$",
    ]
    var random = RandomSequence(RandomStream(seed: 5, purpose: .probe, 0))
    for expression in expressions {
      let pattern = try Pattern(expression)
      for length in 0..<120 {
        let text = (0..<length % 12).map { _ in
          ["a", "a", "b", "c", "\n"].randomElement(using: &random) ?? ""
        }.joined()
        Array(text.utf8).withUnsafeBufferPointer { bytes in
          var recorded = FailedChoices(length: bytes.count, unrecorded: 0)
          for start in 0..<bytes.count {
            var unrecorded = FailedChoices(length: bytes.count, unrecorded: .max)
            #expect(
              pattern.match(bytes, at: start, &recorded)
                == pattern.match(bytes, at: start, &unrecorded),
              "\(expression) at \(start) of \(text.debugDescription)")
          }
        }
      }
    }
  }

  /// The matcher has a stack of its own, so that a long run does not exhaust the thread's.
  @Test(.timeLimit(.minutes(1))) func longRunsDoNotExhaustTheStack() throws {
    let pattern = TextPattern.expression(try Pattern(CasedWordScanner.expression(digits: 3)))
    let text = String(repeating: "a", count: 50_000) + String(repeating: " ", count: 50_000) + "b"
    #expect(Self.words(pattern, text).map(\.count) == [50_000, 49_999, 2])
  }
}
