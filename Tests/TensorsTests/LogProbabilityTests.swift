import Testing

@testable import Tensors

/// Log-probabilities have the same bits with and without a tape, as reinforcement learning
/// requires.
@Suite struct LogProbabilityTests {
  /// Sizes with more rows than a chunk, and with columns that do not fill a vector.
  private static let sizes = [(7, 5, 19), (300, 24, 77), (600, 32, 1200)]

  @Test(arguments: Precision.allCases, sizes)
  func bitsDoNotDependOnTheTape(precision: Precision, size: (Int, Int, Int)) {
    let (rows, width, vocabulary) = size
    let workspace = Workspace(precision: precision)
    let x = workspace.probe([rows, width], 1)
    let head = workspace.probe([vocabulary, width], 2)
    let targets = (0..<rows).map { Int32(($0 * 31) % vocabulary) }
    let weights = (0..<rows).map { Float($0 % 4 == 3 ? 0 : 1) }
    let run = { (x: Tensor) in
      x.logProbabilities(head: head, targets: targets, weights: weights, temperature: 0.8)
    }
    let plain = run(x)
    let taped = workspace.recording { run(x.differentiable) }
    let isEqual = plain.chosen.values == taped.chosen.values
    #expect(isEqual && plain.entropies.values == taped.entropies.values)
    #expect(taped.chosen.needsGradient && !plain.chosen.needsGradient)
    let losses = x.crossEntropy(head: head, targets: targets, weights: weights).values
    let cold = x.logProbabilities(head: head, targets: targets, weights: weights)
    let isLoss = cold.chosen.values == losses.map { $0 == 0 ? 0 : -$0 }
    #expect(isLoss)
  }

  /// In bf16 the saved log-probabilities are rounded, like the gradient of a loss.
  @Test func gradientsInBF16AreClose() {
    let (rows, width, vocabulary) = (64, 32, 211)
    let targets = (0..<rows).map { Int32(($0 * 31) % vocabulary) }
    let gradients = Precision.allCases.map { precision in
      let workspace = Workspace(precision: precision)
      let points = [workspace.probe([rows, width], 1), workspace.probe([vocabulary, width], 2)]
      return workspace.gradients(points, outputGradient: probeValues(rows, 3)) {
        let tokens = $0[0].logProbabilities(head: $0[1], targets: targets, temperature: 1.2)
        return tokens.chosen + tokens.entropies * 0.3
      }
    }
    for (full, rounded) in zip(gradients[0], gradients[1]) {
      let size = full.reduce(0) { max($0, abs($1)) }
      let error = zip(full, rounded).reduce(0) { max($0, abs($1.0 - $1.1)) } / size
      #expect(error > 0 && error < 0.02, "\(error)")
    }
  }

  @Test func uniformLogitsHaveTheLargestEntropy() {
    let workspace = Workspace()
    let x = Tensor(repeating: 0, shape: [2, 3], in: workspace)
    let head = workspace.probe([50, 3], 1)
    let tokens = x.logProbabilities(head: head, targets: [3, 49])
    for value in tokens.chosen.values + tokens.entropies.values.map({ -$0 }) {
      #expect(abs(value + 3.912023) < 1e-6)
    }
  }

  @Test func aNaNReachesTheResults() {
    let workspace = Workspace()
    let x = Tensor([.nan, 1, 0, 1], shape: [2, 2], in: workspace)
    let head = workspace.probe([5, 2], 1)
    let tokens = x.logProbabilities(head: head, targets: [0, 1])
    #expect(tokens.chosen.values[0].isNaN && tokens.entropies.values[0].isNaN)
    #expect(tokens.chosen.values[1].isFinite)
  }
}
