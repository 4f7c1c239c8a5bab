import Testing

@testable import Evaluation

@Suite struct ClassificationQualityTests {
  /// By hand: class 0 has two hits of three predictions and two texts, F1 4/5; class 1 one of two
  /// texts and one prediction, F1 2/3; class 2 is neither there nor predicted.
  @Test func accuracyAndF1ByHand() {
    let quality = ClassificationQuality(predicted: [0, 0, 0, 1], actual: [0, 0, 1, 1], classes: 3)
    #expect(quality.accuracy == 0.75)
    #expect(abs(quality.macroF1 - (4.0 / 5 + 2.0 / 3) / 2) < 1e-12)
    // Wilson's interval of 3 of 4.
    #expect(abs(quality.interval.lowerBound - 0.30064) < 1e-4)
    #expect(abs(quality.interval.upperBound - 0.95441) < 1e-4)
  }
}
