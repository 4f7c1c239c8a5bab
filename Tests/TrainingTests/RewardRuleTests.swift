import Configuration
import TestWorld
import Testing

@testable import Training

@Suite(.enabled(if: !SharedWorld.isUnderMPIRun, "A rank must not fork: `swift test` runs these."))
struct RewardRuleTests {
  private let cases = ["a kind bird", "a bird", "kind"].map {
    RewardRule.Case(prompt: "p", answer: $0, reference: nil)
  }

  private func rule(_ settings: String...) throws -> RewardRule {
    var reader = try ConfigurationReader(yaml: "", file: "run.yaml", overrides: settings)
    return try #require(RewardRule(try RewardSourceOptions(&reader)))
  }

  @Test func anExpressionIsFoundOrNot() throws {
    #expect(try rule("reward.rule=kind$|kind b").rewards(cases) == [1, 0, 1])
  }

  @Test func aCommandPrintsANumberForEach() throws {
    let rule = try rule(#"reward.command=awk '{ print length($0) - 30 }'"#)
    let lengths = try rule.rewards(cases)
    #expect(lengths[0] - lengths[1] == 5 && lengths[1] - lengths[2] == 2)
    #expect(rule.failures.count == 0)
  }

  /// Whatever a command does, the run goes on, and the first reason is known.
  @Test(arguments: [
    ("exit 3", "code 3"), ("sleep 60", "longer than"), ("echo 1", "printed 1 lines for 3"),
    ("printf 'x\\n1\\n2\\n'", "no number"), ("printf 'nan\\n1\\n2\\n'", "no number"),
  ])
  func aFailureIsCountedAndWorthNothing(command: String, reason: String) throws {
    let rule = try rule("reward.command=\(command)", "reward.timeLimit=0.5")
    #expect(try rule.rewards(cases) == [0, 0, 0])
    #expect(try rule.rewards(cases) == [0, 0, 0])
    #expect(rule.failures.count == 2 && rule.failures.first.contains(reason), "\(rule.failures)")
  }

  @Test func whatIsNoRuleIsRefused() throws {
    #expect(throws: ConfigurationError.self) { try rule(#"reward.rule="(""#) }
    #expect(throws: ConfigurationError.self) { try rule("reward.rule=a", "reward.command=b") }
  }
}
