import Testing

@testable import Objectives

/// Losses on scores of whole sequences, compared with PyTorch's.
@Suite struct SequenceLossTests {
  @Test func classificationEqualsThatOfPyTorch() throws {
    let golden = try Golden("classes")
    let (scores, labels) = (try golden.floats("scores"), try golden.integers("targets"))
    let shape = [labels.count, try golden.integer("labels")]
    let loss = differentiated(scores, shape: shape) { Classification.loss($0, labels: labels) }
    let error = max(
      worst([loss.total], [try golden.number("loss")]),
      worst(loss.gradient, try golden.numbers("gradient")))
    print("Classification: worst error \(error)")
    #expect(error <= tolerance)
    #expect(loss.count == 5)
    let check = differences(scores, shape: shape) { Classification.loss($0, labels: labels) }
    #expect(check.worstError < 2e-3, "\(check.place)")
  }

  @Test func classificationReportsAccuracy() {
    let loss = differentiated([1, 2, 3, 0, 9, 9], shape: [3, 2]) {
      Classification.loss($0, labels: [1, 1, 1])
    }
    #expect(loss.measures[.accuracy] == 1.0 / 3)
    let far = differentiated([1e4, -1e4], shape: [1, 2]) { Classification.loss($0, labels: [1]) }
    #expect(far.total == 2e4 && far.gradient == [1, -1])
  }

  @Test func regressionEqualsThatOfPyTorch() throws {
    let golden = try Golden("regression")
    let (scores, targets) = (try golden.floats("scores"), try golden.floats("targets"))
    let outputs = try golden.integer("outputs")
    let shape = [scores.count / outputs, outputs]
    let loss = differentiated(scores, shape: shape) { Regression.loss($0, targets: targets) }
    let error = max(
      worst([loss.total], [try golden.number("loss")]),
      worst(loss.gradient, try golden.numbers("gradient")))
    print("Regression: worst error \(error)")
    #expect(error <= tolerance)
  }
}
