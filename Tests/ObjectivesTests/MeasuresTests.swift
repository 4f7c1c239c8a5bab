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
