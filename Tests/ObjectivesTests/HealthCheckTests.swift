import Testing

@testable import Objectives

@Suite struct HealthCheckTests {
  @Test func aHealthyStepHasNoFinding() {
    var measures = Measures()
    #expect(HealthCheck.findings(in: measures).isEmpty)
    for (measure, value) in [
      (Measure.referenceKL, 0.02), (.updateKLk3, 0.001), (.ratio, 1.01), (.largestRatio, 1.9),
      (.entropy, 1.2), (.clipFraction, 0.1), (.samplingDifference, 1e-5),
    ] { measures.add(value, to: measure) }
    measures.addReturn(1, error: 0.1)
    measures.addReturn(2, error: -0.1)
    for (reward, length) in [(0.5, 10), (1, 12), (0.2, 14)] {
      measures.addAnswer(reward: reward, length: length, ended: true)
    }
    #expect(HealthCheck.findings(in: measures) == [])
  }

  @Test func theCauseIsNamed() {
    var measures = Measures()
    measures.add(0.9, to: .referenceKL)
    #expect(
      HealthCheck.findings(in: measures) == [
        "KL to the reference 0.9 above 0.5 nats a token: learning rate or clip too high, or the KL "
          + "coefficient too low; lower the first or raise the last."
      ])
  }

  @Test func everyFigureIsLookedAt() {
    var measures = Measures()
    for (measure, value) in [
      (Measure.referenceKL, -1.0), (.updateKLk3, 0.3), (.ratio, 0.2), (.largestRatio, 1e5),
      (.entropy, 0.001), (.clipFraction, 0.75), (.samplingDifference, 0.155),
    ] { measures.add(value, to: measure) }
    measures.addReturn(1, error: 5)
    measures.addReturn(2, error: -5)
    for length in 1...3 {
      measures.addAnswer(reward: Double(length), length: length, ended: false)
    }
    let findings = HealthCheck.findings(in: measures)
    // All but the deviation of the rewards, which differ.
    #expect(findings.count == HealthCheck.Figure.allCases.count - 1)
    #expect(findings.contains { $0.hasPrefix("largest ratio 100000 above 10:") })
    #expect(findings.contains { $0.hasPrefix("share of answers that end 0 below 0.8:") })
    var equal = Measures()
    for _ in 0..<3 { equal.addAnswer(reward: 0.1, length: 4, ended: true) }
    #expect(HealthCheck.findings(in: equal).count == 1)
    var divergent = Measures()
    divergent.add(.nan, to: .entropy)
    #expect(HealthCheck.findings(in: divergent).first?.contains("no number") == true)
  }

  @Test func everyFigureHasACheck() {
    #expect(HealthCheck.all.map(\.figure) == HealthCheck.Figure.allCases)
  }

  @Test(arguments: [
    (0.123456, "0.123"), (12.3456, "12.3"), (1234.56, "1230"), (-0.00001234, "-1.23e-05"),
    (0, "0"), (1, "1"), (.infinity, "inf"),
  ]) func numbersHaveThreeDigits(value: Double, text: String) {
    #expect(HealthCheck.text(value) == text)
  }
}
