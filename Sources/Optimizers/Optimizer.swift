// "Gradient to update."

/// An optimizer: updates weights along a gradient and keeps optimizer state per weight.
///
/// Each rank keeps the state of the ranges that it owns (ZeRO stage 1, Rajbhandari et al. 2020).
/// Updates are elementwise, so their bits do not depend on how the ranges are cut.
package protocol Optimizer: Sendable {
  /// Names of the state kept per weight, such as `m` and `v`; they name tensors in checkpoints.
  var stateNames: [String] { get }

  /// Updates one range of weights, all with or all without weight decay.
  ///
  /// - Parameters:
  ///   - weights: The weights of the range.
  ///   - state: One buffer per state name, each with as many elements as `weights`.
  ///   - gradient: The summed gradient.
  ///   - factor: The factor that the gradient is multiplied by first (clipping ÷ tokens).
  ///   - learningRate: The step's learning rate.
  ///   - decays: True to apply weight decay.
  ///   - update: Number of this update, from 1.
  func update(
    _ weights: UnsafeMutableBufferPointer<Float>, state: [UnsafeMutablePointer<Float>],
    along gradient: UnsafePointer<Float>, factor: Float, learningRate: Float, decays: Bool,
    update: Int)
}
