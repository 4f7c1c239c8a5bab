import Testing

@testable import Files

@Suite struct RegularExpressionTests {
  @Test(
    arguments: [
      ("[0-9]+", "it is 7", true), ("[0-9]+", "seven", false), (#"\bowl\b"#, "an owl.", true),
      (#"\bowl\b"#, "owls", false), ("(?i)YES", "oh yes", true), (#"(a)\1"#, "baab", true),
      ("^.$", "é", true), ("a", "", false), ("(.+)+!$", "hello!", true),
    ] as [(String, String, Bool)])
  func findsWhatItMatches(expression: String, text: String, isFound: Bool) throws {
    let expression = try #require(RegularExpression(expression))
    #expect(try expression.isFound(in: text) == isFound)
  }

  @Test func aLongTextIsSearchedToItsEnd() throws {
    let text = String(repeating: "é ", count: 200_000) + "7"
    #expect(try #require(RegularExpression("[0-9]$")).isFound(in: text))
  }

  @Test(arguments: ["(.+)+!$", "(a|a)*b", ".*.*.*.*.*.*b", "(a?){40}a{40}b"])
  func exponentialWorkIsStopped(expression: String) throws {
    let expression = try #require(RegularExpression(expression))
    let text = String(repeating: "a", count: 200)
    let time = ContinuousClock().measure {
      #expect(throws: RegularExpression.TooManySteps.self) { try expression.isFound(in: text) }
    }
    #expect(time < .seconds(20))
  }

  @Test func brokenExpressionsAreRefused() {
    #expect(RegularExpression("(a") == nil)
    #expect(RegularExpression("[z-a]") == nil)
  }
}
