import Tensors
import Testing

@testable import Objectives

/// Log-probabilities and entropies of tokens, compared with PyTorch's.
@Suite struct TokenTests {
  @Test func logProbabilitiesEqualThoseOfPyTorch() throws {
    let golden = try Golden("tokens")
    let (rows, width) = (try golden.integer("rows"), try golden.integer("width"))
    let vocabulary = try golden.integer("vocabulary")
    let workspace = Workspace()
    let hidden = Tensor(try golden.floats("hidden"), shape: [rows, width], in: workspace)
    let head = Tensor(try golden.floats("head"), shape: [vocabulary, width], in: workspace)
    let targets = try golden.integers("targets").map { Int32($0) }
    let mask = try golden.floats("mask")
    // The gradients of the loss with respect to log-probabilities and entropies.
    let factors = Tensor(try golden.floats("slopes"), shape: [rows], in: workspace)
    let entropyFactors = Tensor(try golden.floats("entropySlopes"), shape: [rows], in: workspace)
    var error = 0.0
    for setting in try golden.cases() {
      let temperature = Float(try setting.number("temperature"))
      var tokens: TokenLogProbabilities?
      let (_, gradients) = valueWithGradient(at: [hidden, head]) {
        let result = $0[0].logProbabilities(
          head: $0[1], targets: targets, weights: mask, temperature: temperature)
        tokens = result
        return (result.chosen * factors).sum() + (result.entropies * entropyFactors).sum()
      }
      let seen = try #require(tokens)
      error = max(error, worst(seen.chosen.values, try setting.numbers("logProbabilities")))
      error = max(error, worst(seen.entropies.values, try setting.numbers("entropies")))
      for (gradient, name) in zip(gradients, ["hiddenGradient", "headGradient"]) {
        error = max(error, worst(try #require(gradient).values, try setting.numbers(name)))
      }
    }
    print("Tokens: worst error \(error)")
    #expect(error <= tolerance)
  }
}
