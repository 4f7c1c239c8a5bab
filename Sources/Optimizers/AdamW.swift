import CKernels
import Glibc

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019), as PyTorch computes it.
///
///   m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²
///   w ← w·(1 − rate·decay) − rate·(m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε)
public struct AdamW: Optimizer {
  let beta1: Float
  let beta2: Float
  let epsilon: Float
  let weightDecay: Float

  /// - Parameters:
  ///   - betas: Memory of the first and second moment, in [0, 1).
  ///   - epsilon: Added to the root of the second moment.
  ///   - weightDecay: Share of a decaying weight, times the rate, that is taken off every step.
  public init(betas: (Float, Float), epsilon: Float = 1e-8, weightDecay: Float) {
    (beta1, beta2) = betas
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// First and second moment.
  public var stateNames: [String] { ["m", "v"] }

  /// See `Optimizer`.
  public func update(
    _ weights: UnsafeMutableBufferPointer<Float>, state: [UnsafeMutablePointer<Float>],
    along gradient: UnsafePointer<Float>, factor: Float, learningRate: Float, decays: Bool,
    update: Int
  ) {
    // In 64 bits: 1 − β₂ᵗ loses half its digits in 32 for β₂ near 1.
    let correction1 = 1 - pow(Double(beta1), Double(update))
    let correction2 = 1 - pow(Double(beta2), Double(update))
    apus_adamw(
      weights.baseAddress, state[0], state[1], gradient, weights.count, factor, learningRate,
      beta1, beta2, epsilon, decays ? weightDecay : 0, Float(correction1), Float(correction2))
  }
}
