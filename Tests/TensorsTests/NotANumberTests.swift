import RandomNumbers
import Testing

@testable import Tensors

/// A NaN anywhere reaches the loss, so that a diverging run is noticed.
@Suite struct NotANumberTests {
  let workspace = Workspace()

  private func spoiled(_ shape: [Int], _ tag: Int, at place: Int) -> Tensor {
    let x = workspace.probe(shape, tag)
    x.pointer[place] = .nan
    return x
  }

  @Test(arguments: Array(1...40)) func everyKernelPropagatesNaN(size: Int) {
    for place in Set([0, size / 2, size - 1]) {
      let x = spoiled([1, size], 1, at: place)
      let plain = workspace.probe([1, size], 2)
      let gain = workspace.probe([size], 3)
      #expect((x + plain).values[place].isNaN)
      #expect((plain - x).values[place].isNaN)
      #expect((plain * x).values[place].isNaN)
      #expect(x.gelu().values[place].isNaN)
      #expect(x.swiGLU(plain).values[place].isNaN)
      #expect(plain.swiGLU(x).values[place].isNaN)
      #expect(x.relu().values[place].isNaN)
      #expect(x.geGLU(plain).values[place].isNaN)
      #expect(x.sum().scalar.isNaN)
      #expect(x.layerNorm(gain: gain, bias: gain, epsilon: 1e-5).values.allSatisfy { $0.isNaN })
      #expect(x.rmsNorm(gain: gain, epsilon: 1e-5).values.allSatisfy { $0.isNaN })
      for target in Set([0, size - 1]) {
        let loss = (x * 1).crossEntropyConsumingLogits(targets: [Int32(target)]).values[0]
        #expect(loss.isNaN, "target \(target)")
      }
      let gelu = workspace.gradients([x], outputGradient: probeValues(size, 4)) { $0[0].gelu() }[0]
      #expect(gelu.indices.allSatisfy { gelu[$0].isNaN == ($0 == place) })
    }
  }

  @Test func linearLayersPropagateNaN() {
    let x = spoiled([2, 20], 1, at: 25)
    let y = x.linear(weight: workspace.probe([3, 20], 2), order: .outputsByInputs)
    #expect(y.values.map(\.isNaN) == [false, false, false, true, true, true])
  }

  /// A key with a NaN affects every query that attends to it and no earlier one.
  @Test(arguments: [3, 70]) func attentionPropagatesNaN(position: Int) {
    let length = 100
    let q = workspace.probe([length, 4], 1)
    let k = spoiled([length, 4], 2, at: position * 4 + 1)
    let v = workspace.probe([length, 4], 3)
    let y = q.attention(keys: k, values: v, sequences: 1, heads: 1, keyHeads: 1)
    for row in 0..<length {
      #expect(y.values[row * 4].isNaN == (row >= position), "row \(row)")
    }
  }

  @Test func infiniteLogitsCauseNaN() {
    let x = Tensor([.infinity, 1, 2], shape: [1, 3], in: workspace)
    #expect((x * 1).crossEntropyConsumingLogits(targets: [1]).values[0].isNaN)
    // A logit of −∞ excludes a token and is valid.
    let y = Tensor([-.infinity, 1, 1], shape: [1, 3], in: workspace)
    let loss = y.crossEntropyConsumingLogits(targets: [1]).values[0]
    #expect(abs(loss - 0.6931472) < 1e-6)
  }

  @Test func dropoutPropagatesNaNOfKeptElementsOnly() {
    let mask = DropoutMask(rate: 0.5, stream: RandomStream(seed: 1, purpose: .dropout))
    let kept = Tensor(repeating: 1, shape: [100], in: workspace).dropout(mask).values
    let spoiled = Tensor(repeating: .nan, shape: [100], in: workspace).dropout(mask).values
    #expect(kept.map { $0 != 0 } == spoiled.map(\.isNaN))
  }
}
