import CKernels

/// Stochastic gradient descent with momentum and coupled weight decay, as PyTorch computes it.
///
///   g ← g + decay·w,  m ← μm + g,  w ← w − rate·m
package struct SGD: Optimizer {
  let momentum: Float
  let weightDecay: Float

  /// - Parameters:
  ///   - momentum: Momentum coefficient μ, in [0, 1); with 0 there is no momentum buffer.
  ///   - weightDecay: Decay coefficient: the gradient is increased by weightDecay · weight.
  package init(momentum: Float, weightDecay: Float) {
    self.momentum = momentum
    self.weightDecay = weightDecay
  }

  /// The momentum buffer, unless the momentum is 0.
  package var stateNames: [String] { momentum == 0 ? [] : ["momentum"] }

  package func update(
    _ weights: UnsafeMutableBufferPointer<Float>, state: [UnsafeMutablePointer<Float>],
    along gradient: UnsafePointer<Float>, factor: Float, learningRate: Float, decays: Bool,
    update: Int
  ) {
    apus_sgd(
      weights.baseAddress, state.first, gradient, weights.count, factor, learningRate, momentum,
      decays ? weightDecay : 0)
  }
}
