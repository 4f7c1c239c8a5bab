import Glibc
import Testing

@testable import Objectives

@Suite struct MeasuresTests {
  @Test func sumsAndCountsAreAdded() {
    var (a, b) = (Measures(), Measures())
    #expect(a[.ratio] == nil && a.figures.isEmpty)
    a.add(2, to: .ratio)
    a.add(-3, to: .largestRatio)
    b.add(5, to: .ratio, weight: 3)
    b.add(-7, to: .largestRatio)
    b.add(1, to: .ended)
    let both = a + b
    #expect(both[.ratio] == 17.0 / 4)
    #expect(both[.largestRatio] == -3)
    #expect((b + a)[.largestRatio] == -3)
    #expect((Measures() + b)[.largestRatio] == -7)
    #expect(both[.ended] == 1 && both.count(of: .ratio) == 4)
    #expect(both.figures.map(\.name) == ["ratio", "largestRatio", "ended"])
  }

  @Test func measuresSurviveConversionToNumbers() {
    var measures = Measures()
    measures.add(1.5, to: .entropy, weight: 2)
    measures.add(9, to: .largestRatio)
    let numbers = measures.numbers
    #expect(numbers.count == Measures.numberCount)
    #expect(Measures(numbers: numbers) == measures)
  }

  @Test func namesAreDistinct() {
    #expect(Set(Measure.allCases.map(\.name)).count == Measure.allCases.count)
    #expect(Measure.referenceKLk3.name == "referenceKLk3")
  }

  /// Measures of one token with these log-probabilities.
  private func measures(_ policy: Double, old: Double? = nil, reference: Double) -> Measures {
    var measures = Measures()
    measures.add(policy, to: .logProbability)
    measures.add(reference, to: .referenceLogProbability)
    if let old { measures.add(old, to: .oldLogProbability) }
    return measures
  }

  @Test func aPolicyThatWritesOrFindsTextLikeRandomTokensHasCollapsed() {
    // ln 512 = 6.238.
    let uniform = -Double(logf(512))
    for (measures, words) in [
      // A uniform policy: the initial model finds its completions even less likely.
      (measures(uniform, old: uniform, reference: -9.5), ["to the initial model", "9.5 nats"]),
      // One update made the policy uniform.
      (measures(uniform, old: -2.5, reference: -2.5), ["to the updated policy", "6.24 nats"]),
      // It repeats a token that the initial model does not expect.
      (measures(-0.1, old: -0.1, reference: -8), ["8 nats per token to the initial model"]),
      (measures(-1e-9, old: -1e-9, reference: -3), ["certain", "3 nats"]),
      (measures(-1e12, reference: -2), ["the chosen answers", "to the policy"]),
      (measures(uniform, reference: -4), ["the chosen answers", "6.24"]),
    ] {
      let sign = measures.collapse(vocabulary: 512) ?? ""
      for word in words { #expect(sign.contains(word), "\(sign)") }
    }
    for sound in [
      measures(-2.4, old: -2.5, reference: -2.6), measures(-6, old: -2.5, reference: -2.5),
      // Far from the initial model, which still finds the text likelier than random tokens.
      measures(-0.01, old: -0.01, reference: -5),
      // An untrained model is uniform from the start.
      measures(-6.23, old: -6.24, reference: -6.25), measures(-6.25, reference: -6.24),
      // The reference model has not learnt the answers that the policy learns.
      measures(-1, reference: -9),
      // Text in a foreign script was unlikely from the start.
      measures(-13.9, reference: -12.7),
    ] {
      #expect(sound.collapse(vocabulary: 512) == nil, "\(sound.collapse(vocabulary: 512) ?? "")")
    }
    #expect(Measures().collapse(vocabulary: 512) == nil)
  }

  @Test func explainedVarianceAndRewardLengthCorrelation() throws {
    var measures = Measures()
    #expect(measures.explainedVariance == nil && measures.rewardLengthCorrelation == nil)
    // Errors 0, 1, 0, −1 beside returns 0, 2, 4, 6: 1 − 0.5 ÷ 5.
    for (value, error) in [(0.0, 0.0), (2, 1), (4, 0), (6, -1)] {
      measures.addReturn(value, error: error)
    }
    #expect(abs(try #require(measures.explainedVariance) - 0.9) < 1e-12)
    for (reward, length) in [(1.0, 10), (2, 20), (3, 30)] {
      measures.addCompletion(reward: reward, length: length, ended: length < 25)
    }
    #expect(abs(try #require(measures.rewardLengthCorrelation) - 1) < 1e-12)
    #expect(measures[.ended] == 2.0 / 3)
    var constant = Measures()
    for length in [10, 20] { constant.addCompletion(reward: 0.1, length: length, ended: true) }
    #expect(constant.rewardLengthCorrelation == nil)
  }
}
