import CKernels
import Glibc

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019), as PyTorch computes it.
///
///   m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²
///   w ← w·(1 − rate·decay) − rate·(m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε)
package struct AdamW: Optimizer {
  let beta1: Float
  let beta2: Float
  let epsilon: Float
  let weightDecay: Float

  /// - Parameters:
  ///   - betas: Decay rates of the first and second moment, in [0, 1).
  ///   - epsilon: Added to the square root of the second moment.
  ///   - weightDecay: Decay coefficient: every step subtracts rate · weightDecay · weight.
  package init(betas: (Float, Float), epsilon: Float = 1e-8, weightDecay: Float) {
    (beta1, beta2) = betas
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The first and second moment.
  package var stateNames: [String] { ["m", "v"] }

  package func update(
    _ weights: UnsafeMutableBufferPointer<Float>, state: [UnsafeMutablePointer<Float>],
    along gradient: UnsafePointer<Float>, factor: Float, learningRate: Float, decays: Bool,
    update: Int
  ) {
    // In fp64: in fp32, 1 − β₂ᵗ loses half its digits for β₂ near 1.
    let correction1 = 1 - pow(Double(beta1), Double(update))
    let correction2 = 1 - pow(Double(beta2), Double(update))
    apus_adamw(
      weights.baseAddress, state[0], state[1], gradient, weights.count, factor, learningRate,
      beta1, beta2, epsilon, decays ? weightDecay : 0, Float(correction1), Float(correction2))
  }
}
