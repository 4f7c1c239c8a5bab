import Configuration
import Foundation
import TestWorld
import Testing

@testable import Phases

@Suite(.enabled(if: !SharedWorld.isUnderMPIRun, "A rank must not fork: `swift test` runs these."))
struct RewardRuleTests {
  private let cases = ["a kind bird", "a bird", "kind"].map {
    RewardRule.Case(prompt: "p", answer: $0, reference: nil)
  }

  private func rule(_ settings: String...) throws -> RewardRule {
    var reader = try ConfigurationReader(yaml: "", file: "run.yaml", overrides: settings)
    return try #require(RewardRule(try RewardSourceOptions(&reader)))
  }

  @Test func anExpressionRewardsMatchesWithOne() throws {
    let (numbers, failure) = try rule("reward.rule=kind$|kind b").rewards(cases)
    #expect(numbers == [1, 0, 1] && failure == nil)
  }

  @Test func anExpressionWithoutEndRewardsNoLongCompletion() throws {
    let rule = try rule("reward.rule=(.+)+!$")
    let answers = ["hello!", String(repeating: "a", count: 200)]
    let (numbers, failure) = try rule.rewards(
      answers.map { RewardRule.Case(prompt: "p", answer: $0, reference: nil) })
    #expect(numbers[0] == 1 && numbers[1].isNaN)
    #expect(failure?.contains("too many steps") == true, "\(failure ?? "")")
  }

  @Test func aCommandRewardsEachCompletionWithItsNumber() throws {
    let rule = try rule(#"reward.command=awk '{ print length($0) - 30 }'"#)
    let (lengths, failure) = try rule.rewards(cases)
    #expect(lengths[0] - lengths[1] == 5 && lengths[1] - lengths[2] == 2)
    #expect(failure == nil)
  }

  /// A failing command does not end the run, and the cause is reported.
  @Test(arguments: [
    ("exit 3", "code 3"), ("kill -9 $$", "signal 9"), ("sleep 60", "longer than"),
    ("echo 1", "printed 1 line for 3"), ("yes 1", "more than 64 MiB"),
  ])
  func aFailingCommandRewardsNoCompletion(command: String, reason: String) throws {
    let rule = try rule("reward.command=\(command)", "reward.timeLimit=0.5")
    let (numbers, failure) = try rule.rewards(cases)
    #expect(numbers.count == 3 && numbers.allSatisfy(\.isNaN))
    #expect(failure?.contains(reason) == true, "\(failure ?? "")")
  }

  @Test(arguments: ["x", "nan", "inf", "-", "-1e308"])
  func aLineThatIsNotANumberLeavesItsCompletionWithoutReward(line: String) throws {
    let (numbers, failure) = try rule("reward.command=echo 1; echo \(line); echo 2").rewards(cases)
    #expect(numbers[0] == 1 && numbers[1].isNaN && numbers[2] == 2)
    #expect(failure == "it printed \"\(line)\", which is not a number from −1e15 to 1e15")
  }

  /// No child process remains, whether the command ends in time or is killed.
  @Test(arguments: ["sleep 60", "exit 0"])
  func aCommandLeavesNoProcess(end: String) throws {
    let note = NSTemporaryDirectory() + "apus-reward-test-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: note) }
    let rule = try rule(
      "reward.command=sleep 60 & echo $! > \(note); \(end)", "reward.timeLimit=0.5")
    _ = try rule.rewards(cases)
    let text = try String(contentsOfFile: note, encoding: .utf8)
    let child = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    // A killed process disappears a moment later, or is a zombie until init reaps it.
    let limit = ContinuousClock.now + .seconds(20)
    var isThere = true
    while isThere && ContinuousClock.now < limit {
      let state = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
      isThere = state.map { !$0.contains(") Z ") } ?? false
      if isThere { usleep(10_000) }
    }
    #expect(!isThere)
  }

  @Test func invalidAndConflictingRulesAreRefused() throws {
    #expect(throws: ConfigurationError.self) { try rule(#"reward.rule="(""#) }
    #expect(throws: ConfigurationError.self) { try rule("reward.rule=a", "reward.command=b") }
  }
}
