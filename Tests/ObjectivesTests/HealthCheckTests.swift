import Testing

@testable import Objectives

@Suite struct HealthCheckTests {
  @Test func aHealthyStepHasNoWarning() {
    var measures = Measures()
    #expect(HealthCheck.warnings(in: measures).isEmpty)
    for (measure, value) in [
      (Measure.referenceKL, 0.02), (.updateKLk3, 0.001), (.ratio, 1.01), (.largestRatio, 1.9),
      (.entropy, 1.2), (.clipFraction, 0.1), (.samplingDifference, 1e-5),
    ] { measures.add(value, to: measure) }
    measures.addReturn(1, error: 0.1)
    measures.addReturn(2, error: -0.1)
    for (reward, length) in [(0.5, 10), (1, 12), (0.2, 14)] {
      measures.addCompletion(reward: reward, length: length, ended: true)
    }
    #expect(HealthCheck.warnings(in: measures) == [])
  }

  @Test func aWarningNamesCauseAndRemedy() {
    var measures = Measures()
    measures.add(0.9, to: .referenceKL)
    #expect(
      HealthCheck.warnings(in: measures) == [
        "KL to the reference model 0.9 above 0.5 nats per token: optimizer.learningRate or policy.clip "
          + "is too high, or kl.coefficient too low; lower the former or raise the latter."
      ])
  }

  @Test func everyFigureOutsideItsRangeGivesAWarning() {
    var measures = Measures()
    for (measure, value) in [
      (Measure.referenceKL, -1.0), (.updateKLk3, 0.3), (.ratio, 0.2), (.largestRatio, 1e5),
      (.entropy, 0.001), (.clipFraction, 0.75), (.samplingDifference, 0.155),
    ] { measures.add(value, to: measure) }
    measures.addReturn(1, error: 5)
    measures.addReturn(2, error: -5)
    for length in 1...3 {
      measures.addCompletion(reward: Double(length), length: length, ended: false)
    }
    let warnings = HealthCheck.warnings(in: measures)
    // All but the standard deviation of the rewards, which differ.
    #expect(warnings.count == HealthCheck.Figure.allCases.count - 1)
    #expect(warnings.contains { $0.hasPrefix("largest ratio 100000 above 10:") })
    #expect(warnings.contains { $0.hasPrefix("fraction of ended completions 0 below 0.8:") })
    var equal = Measures()
    for _ in 0..<3 { equal.addCompletion(reward: 0.1, length: 4, ended: true) }
    #expect(HealthCheck.warnings(in: equal).count == 1)
    var divergent = Measures()
    divergent.add(.nan, to: .entropy)
    #expect(HealthCheck.warnings(in: divergent).first?.contains("NaN") == true)
  }

  /// A value head that has learned nothing yet explains no variance, give or take noise.
  @Test func anUntrainedValueHeadIsHealthy() {
    var measures = Measures()
    measures.addReturn(1, error: 1.0005)
    measures.addReturn(-1, error: -1.0005)
    #expect(measures.explainedVariance.map { $0 < 0 && $0 > -0.01 } == true)
    #expect(HealthCheck.warnings(in: measures) == [])
  }

  @Test func everyFigureHasACheck() {
    #expect(HealthCheck.all.map(\.figure) == HealthCheck.Figure.allCases)
  }

  @Test(arguments: [
    (0.123456, "0.123"), (12.3456, "12.3"), (1234.56, "1230"), (-0.00001234, "-1.23e-05"),
    (0, "0"), (1, "1"), (.infinity, "inf"),
  ]) func numbersHaveThreeSignificantDigits(value: Double, text: String) {
    #expect(HealthCheck.text(value) == text)
  }
}
