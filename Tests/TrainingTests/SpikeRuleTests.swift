import Checkpoints
import Testing

@testable import Training

@Suite struct SpikeRuleTests {
  /// A rule whose window has `count` losses of 2 ± 0.1 and norms of 1 ± 0.05: standard deviations of
  /// 0.1 and 0.05.
  private func rule(_ count: Int = 128, deviations: Double = 6) -> SpikeRule {
    var rule = SpikeRule(deviations: deviations)
    for step in 0..<count {
      let sign = step % 2 == 0 ? 1.0 : -1
      rule.note(loss: 2 + 0.1 * sign, gradientNorm: 1 + 0.05 * sign)
    }
    return rule
  }

  @Test(arguments: [Double.nan, -.nan, .infinity, -.infinity])
  func aValueThatIsNotFiniteIsASpikeFromTheFirstStep(value: Double) {
    let shown = value.isNaN ? "nan" : "\(value)"
    for rule in [rule(0), rule()] {
      #expect(rule.reason(loss: value, gradientNorm: 1) == "its loss is \(shown)")
      #expect(rule.reason(loss: 2, gradientNorm: value) == "its gradient norm is \(shown)")
    }
  }

  @Test func sixStandardDeviationsAreTheLimit() throws {
    // The sample's deviation of 128 values is 0.1004.
    #expect(rule().reason(loss: 2.6, gradientNorm: 1.3) == nil)
    let loss = try #require(rule().reason(loss: 2.61, gradientNorm: 1))
    #expect(
      loss
        == "its loss 2.6100 is more than 6.0 standard deviations of 0.1004 above the mean 2.0000 of "
        + "the last 128 trained steps")
    let norm = try #require(rule().reason(loss: 2, gradientNorm: 1.31))
    #expect(norm.hasPrefix("its gradient norm 1.3100 is more than 6.0 standard"))
    #expect(rule(deviations: 7).reason(loss: 2.61, gradientNorm: 1.31) == nil)
    // A low value is none.
    #expect(rule().reason(loss: -100, gradientNorm: 0) == nil)
  }

  @Test func fewStepsHaveNoSpikes() {
    #expect(rule(63).reason(loss: 1e9, gradientNorm: 1e9) == nil)
    #expect(rule(64).reason(loss: 1e9, gradientNorm: 1) != nil)
  }

  @Test func aLossThatHardlyChangesHasNoSpikes() {
    var still = SpikeRule(deviations: 6)
    for _ in 0..<128 { still.note(loss: 2, gradientNorm: 1) }
    // Six hundredths of the mean.
    #expect(still.reason(loss: 2.119, gradientNorm: 1.059) == nil)
    #expect(still.reason(loss: 2.121, gradientNorm: 1) != nil)
    // A surrogate loss may be negative.
    var negative = SpikeRule(deviations: 6)
    for _ in 0..<128 { negative.note(loss: -2, gradientNorm: 1) }
    #expect(negative.reason(loss: -1.881, gradientNorm: 1) == nil)
    #expect(negative.reason(loss: -1.879, gradientNorm: 1) != nil)
  }

  @Test func theWindowSlidesAndIsResumed() {
    var whole = rule(500)
    #expect(whole.recent.losses.count == 128 && whole.recent.gradientNorms.count == 128)
    var resumed = SpikeRule(deviations: 6, recent: whole.recent)
    for _ in 0..<100 {
      whole.note(loss: 1, gradientNorm: 2)
      resumed.note(loss: 1, gradientNorm: 2)
    }
    #expect(whole.recent == resumed.recent)
    #expect(
      whole.recent.losses.suffix(101).first != 1 && whole.recent.losses.suffix(100).first == 1)
    let edited = SpikeWindow(losses: Array(repeating: 1, count: 999))
    #expect(SpikeRule(deviations: 6, recent: edited).recent.losses.count == 128)
  }
}
