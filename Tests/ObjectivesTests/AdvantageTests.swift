import Testing

@testable import Objectives

/// Rewards, advantages and the KL coefficient.
@Suite struct AdvantageTests {
  @Test func advantagesEqualThoseOfTRL() throws {
    let golden = try Golden("gae")
    let rewards = TokenRewards(
      score: try golden.number("score"), coefficient: try golden.number("coefficient"),
      policy: try golden.floats("policy"), reference: try golden.floats("reference"))
    let values = try golden.floats("values")
    var error = 0.0
    for setting in try golden.cases() {
      error = max(error, worst(rewards.rewards, try setting.numbers("rewards")))
      let rule = GeneralizedAdvantage(
        discount: try setting.number("gamma"), lambda: try setting.number("lambda"))
      let (advantages, returns) = rule(rewards: rewards.rewards, values: values)
      error = max(error, worst(advantages, try setting.numbers("advantages")))
      error = max(error, worst(returns, try setting.numbers("returns")))
    }
    print("GAE: worst error \(error)")
    #expect(error <= tolerance)
    let kl = zip(try golden.floats("policy"), try golden.floats("reference"))
      .reduce(0) { $0 + Double($1.0) - Double($1.1) }
    #expect(abs(rewards.kl - kl) < 1e-12)
  }

  /// By `Goldens/generate_rloo.py`.
  @Test func leaveOneOutAdvantagesEqualThoseOfTRL() throws {
    let golden = try Golden(file: "rloo.json")
    let rewards = try golden.numbers("rewards")
    let kl = zip(try golden.lists("policy"), try golden.lists("reference")).map {
      zip($0, $1).reduce(0) { $0 + $1.0 - $1.1 }
    }
    let samples = try golden.integer("samples")
    for setting in try golden.cases() {
      let rule = LeaveOneOutAdvantage(coefficient: try setting.number("beta"))
      let advantages = stride(from: 0, to: rewards.count, by: samples).flatMap {
        rule(Array(rewards[$0..<$0 + samples]), kl: Array(kl[$0..<$0 + samples]))
      }
      let error = worst(advantages, try setting.numbers("advantages"))
      print("RLOO: worst error \(error)")
      #expect(error <= tolerance)
    }
  }

  @Test func anUnfinishedCompletionBootstrapsFromItsLastValue() {
    let rule = GeneralizedAdvantage(discount: 0.5, lambda: 1)
    let (advantages, returns) = rule(rewards: [0, 1], values: [0, 0], last: 4)
    #expect(advantages == [1.5, 3] && returns == [1.5, 3])
    #expect(rule(rewards: [], values: []).advantages.isEmpty)
  }

  @Test func whiteningEqualsThatOfTRL() throws {
    let golden = try Golden("whitening")
    let mask = try golden.numbers("mask")
    let kept = zip(try golden.numbers("values"), mask).filter { $0.1 != 0 }.map(\.0)
    let expected = zip(try golden.numbers("white"), mask).filter { $0.1 != 0 }.map(\.0)
    let error = worst(Moments(kept).whiten(kept), expected)
    print("Whitening: worst error \(error)")
    #expect(error <= tolerance)
    #expect(Moments([3]).whiten([3]) == [0] && Moments().variance == 0)
  }

  /// Combining the moments of parts gives the moments of the whole, whatever the size of the parts.
  @Test func momentsOfPartsCombineToThoseOfTheWhole() {
    let values = (0..<100).map { 1e4 + Double($0 * $0 % 37) }
    let whole = Moments(values)
    for size in [1, 7, 33] {
      let parts = stride(from: 0, to: 100, by: size).map {
        Moments(Array(values[$0..<min(100, $0 + size)]))
      }
      let joined = parts.reduce(Moments(), +)
      #expect(joined.count == 100 && abs(joined.mean - whole.mean) < 1e-9)
      #expect(abs(joined.variance - whole.variance) < 1e-9 * whole.variance)
      #expect(Moments(numbers: joined.numbers) == joined)
    }
  }

  @Test func adaptiveCoefficientMovesTheKLTowardsItsTarget() {
    var fixed = KLController(coefficient: 0.2)
    fixed.update(kl: 50, completions: 100)
    #expect(fixed.coefficient == 0.2)
    var adaptive = KLController(
      coefficient: 0.2, rule: .adaptive(target: 6, horizon: 10_000))
    adaptive.update(kl: 60, completions: 256)
    #expect(abs(adaptive.coefficient - 0.2 * (1 + 0.2 * 256 / 10_000)) < 1e-15)
    adaptive.update(kl: 6, completions: 256)
    #expect(abs(adaptive.coefficient - 0.2 * (1 + 0.2 * 256 / 10_000)) < 1e-15)
    let before = adaptive.coefficient
    adaptive.update(kl: 5.4, completions: 1000)
    #expect(abs(adaptive.coefficient - before * (1 - 0.1 * 0.1)) < 1e-15)
    adaptive.update(kl: .nan, completions: 1000)
    #expect(adaptive.coefficient > 0)
  }

  @Test func tokenWeightsAreEqualPerTokenOrPerCompletion() {
    #expect(TokenWeights.token.weight(length: 5) == 1)
    #expect(TokenWeights.completion.weight(length: 5) == 0.2)
    #expect(TokenWeights.completion.weight(length: 0) == 0)
  }
}
