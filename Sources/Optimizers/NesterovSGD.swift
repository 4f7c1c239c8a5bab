import CKernels

/// Stochastic gradient descent with Nesterov momentum, as PyTorch computes it: the outer optimizer of
/// DiLoCo.
///
///   m ← μm + g,  w ← w − rate·(g + μm)
///
/// Source: Sutskever et al. 2013. It has no weight decay: the inner optimizer decays the weights.
package struct NesterovSGD: Optimizer {
  let momentum: Float

  /// - Parameter momentum: Momentum coefficient μ, in [0, 1); with 0 the buffer holds the last
  ///   gradient and has no effect.
  package init(momentum: Float) {
    self.momentum = momentum
  }

  package var stateNames: [String] { ["momentum"] }

  package func update(
    _ weights: UnsafeMutableBufferPointer<Float>, state: [UnsafeMutablePointer<Float>],
    along gradient: UnsafePointer<Float>, factor: Float, learningRate: Float, decays: Bool,
    update: Int
  ) {
    apus_nesterov(
      weights.baseAddress, state[0], gradient, weights.count, factor, learningRate, momentum)
  }
}
