// "Gradient to update."

/// A rule that turns a gradient into a change of the weights, with the state it keeps per weight.
///
/// State is kept for the ranges a rank owns (ZeRO stage 1, Rajbhandari et al. 2020); updates are
/// element by element, so their bits do not depend on how the ranges are cut.
public protocol Optimizer: Sendable {
  /// Names of the numbers kept per weight, such as `m` and `v`; they name tensors in checkpoints.
  var stateNames: [String] { get }

  /// Updates one range in which weight decay applies throughout or not at all.
  ///
  /// - Parameters:
  ///   - weights: The weights of the range.
  ///   - state: One address per state name, of as many elements.
  ///   - gradient: The summed gradient.
  ///   - factor: What the gradient is multiplied by first (1 ÷ tokens × clipping).
  ///   - learningRate: The step's rate.
  ///   - decays: Whether weight decay applies.
  ///   - update: Number of this update, from 1.
  func update(
    _ weights: UnsafeMutableBufferPointer<Float>, state: [UnsafeMutablePointer<Float>],
    along gradient: UnsafePointer<Float>, factor: Float, learningRate: Float, decays: Bool,
    update: Int)
}
