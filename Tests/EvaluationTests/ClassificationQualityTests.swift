import Testing

@testable import Evaluation

@Suite struct ClassificationQualityTests {
  // Class 0: 2 hits, 3 predictions, 2 texts, F1 4/5. Class 1: 1 hit, 1 prediction, 2 texts, F1
  // 2/3. Class 2 occurs neither among the labels nor among the predictions.
  @Test func accuracyAndMacroF1AgreeWithValuesComputedByHand() {
    let quality = ClassificationQuality(predicted: [0, 0, 0, 1], actual: [0, 0, 1, 1], classes: 3)
    #expect(quality.accuracy == 0.75)
    #expect(abs(quality.macroF1 - (4.0 / 5 + 2.0 / 3) / 2) < 1e-12)
    // Wilson's interval of 3 successes in 4 trials.
    #expect(abs(quality.interval.lowerBound - 0.30064) < 1e-4)
    #expect(abs(quality.interval.upperBound - 0.95441) < 1e-4)
  }
}
