import Testing

@testable import Tensors

/// What reinforcement learning rests on: the same bits with and without a tape.
@Suite struct LogProbabilityTests {
  /// More rows than a chunk, and columns that do not fill a vector.
  private static let sizes = [(7, 5, 19), (300, 24, 77), (600, 32, 1200)]

  @Test(arguments: Precision.allCases, sizes)
  func bitsDoNotDependOnTheTape(precision: Precision, size: (Int, Int, Int)) {
    let (rows, width, vocabulary) = size
    let workspace = Workspace(precision: precision)
    let x = workspace.trial([rows, width], 1)
    let head = workspace.trial([vocabulary, width], 2)
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

  /// In bf16 what the backward pass keeps is rounded: as much as a loss' derivative is.
  @Test func derivativesInHalfPrecisionAreClose() {
    let (rows, width, vocabulary) = (64, 32, 211)
    let targets = (0..<rows).map { Int32(($0 * 31) % vocabulary) }
    let gradients = Precision.allCases.map { precision in
      let workspace = Workspace(precision: precision)
      let points = [workspace.trial([rows, width], 1), workspace.trial([vocabulary, width], 2)]
      return workspace.gradients(points, slopes: trialValues(rows, 3)) {
        let tokens = $0[0].logProbabilities(head: $0[1], targets: targets, temperature: 1.2)
        return tokens.chosen + tokens.entropies * 0.3
      }
    }
    for (full, half) in zip(gradients[0], gradients[1]) {
      let size = full.reduce(0) { max($0, abs($1)) }
      let error = zip(full, half).reduce(0) { max($0, abs($1.0 - $1.1)) } / size
      #expect(error > 0 && error < 0.02, "\(error)")
    }
  }

  @Test func uniformLogitsHaveTheLargestEntropy() {
    let workspace = Workspace()
    let x = Tensor(repeating: 0, shape: [2, 3], in: workspace)
    let head = workspace.trial([50, 3], 1)
    let tokens = x.logProbabilities(head: head, targets: [3, 49])
    for value in tokens.chosen.values + tokens.entropies.values.map({ -$0 }) {
      #expect(abs(value + 3.912023) < 1e-6)
    }
  }

  @Test func aNaNIsSeen() {
    let workspace = Workspace()
    let x = Tensor([.nan, 1, 0, 1], shape: [2, 2], in: workspace)
    let head = workspace.trial([5, 2], 1)
    let tokens = x.logProbabilities(head: head, targets: [0, 1])
    #expect(tokens.chosen.values[0].isNaN && tokens.entropies.values[0].isNaN)
    #expect(tokens.chosen.values[1].isFinite)
  }
}
