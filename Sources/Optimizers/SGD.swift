import CKernels

/// Stochastic gradient descent with momentum and coupled weight decay, as PyTorch computes it.
///
///   g ← g + decay·w,  m ← μm + g,  w ← w − rate·m
public struct SGD: Optimizer {
  let momentum: Float
  let weightDecay: Float

  /// - Parameters:
  ///   - momentum: Memory of the direction, in [0, 1); 0 keeps none.
  ///   - weightDecay: Pull of decaying weights toward zero.
  public init(momentum: Float, weightDecay: Float) {
    self.momentum = momentum
    self.weightDecay = weightDecay
  }

  /// The direction, when there is momentum.
  public var stateNames: [String] { momentum == 0 ? [] : ["momentum"] }

  /// See `Optimizer`.
  public func update(
    _ weights: UnsafeMutableBufferPointer<Float>, state: [UnsafeMutablePointer<Float>],
    along gradient: UnsafePointer<Float>, factor: Float, learningRate: Float, decays: Bool,
    update: Int
  ) {
    apus_sgd(
      weights.baseAddress, state.first, gradient, weights.count, factor, learningRate, momentum,
      decays ? weightDecay : 0)
  }
}
