/// Detects a diverging run before the next checkpoint would keep its weights.
///
/// A loss or gradient norm that is not finite ends the run at once. A loss above `spike` times the
/// mean of the last 32 healthy losses ends it after three steps in a row, because single bad
/// batches are normal. Until there are 32 losses, the limit is ten times as high. So does a loss of
/// tokens above twice that of a uniform guess and of the lowest recent loss, to which a slow
/// divergence climbs, and a gradient of 0, which weights have that no longer affect the loss.
package struct DivergenceGuard: Sendable {
  /// The error that ends a diverged run.
  package struct Diverged: Error, Equatable, Sendable, CustomStringConvertible {
    /// The step, from 1.
    package let step: Int
    /// The observation, as the part of a sentence.
    package let reason: String

    /// A run whose `figure` is not finite.
    init(step: Int, _ figure: String, is value: Double) {
      // The sign of a NaN has no meaning.
      self.init(step: step, reason: "its \(figure) is \(value.isNaN ? .nan : value)")
    }

    init(step: Int, reason: String) {
      self.step = step
      self.reason = reason
    }

    /// One sentence: what, where, why, what to do.
    package var description: String {
      "The run diverged at step \(step): \(reason); nothing after the last good checkpoint was "
        + "kept, so lower the learning rate or raise the warm-up and run the same command again."
    }
  }

  static let window = 32
  static let patience = 3
  static let earlyFactor = 10.0
  static let uniformFactor = 2.0
  private let spike: Double
  /// The losses of the window, oldest first; kept in checkpoints.
  package private(set) var recent: [Double]
  private var above = 0

  /// - Parameters:
  ///   - spike: Multiple of the recent mean; 0 checks only for values that are not finite.
  ///   - recent: Losses of a run that is resumed.
  package init(spike: Double, recent: [Double] = []) {
    self.spike = spike
    self.recent = recent.suffix(DivergenceGuard.window)
  }

  /// True when the last loss was too high or its gradient 0; no checkpoint is published meanwhile.
  package var hasLossSpike: Bool { above > 0 }

  /// Checks the loss and gradient norm of step `step`, counted from 1.
  ///
  /// - Parameter uniform: The loss of a uniform guess; nil for a loss that has none.
  package mutating func observe(
    step: Int, loss: Double, gradientNorm: Double, uniform: Double? = nil
  ) throws(Diverged) {
    guard loss.isFinite else { throw Diverged(step: step, "loss", is: loss) }
    guard gradientNorm.isFinite else {
      throw Diverged(step: step, "gradient norm", is: gradientNorm)
    }
    if let fault = fault(loss: loss, gradientNorm: gradientNorm, uniform: uniform) {
      above += 1
      if above >= DivergenceGuard.patience { throw Diverged(step: step, reason: fault) }
      return
    }
    above = 0
    recent.append(loss)
    if recent.count > DivergenceGuard.window { recent.removeFirst() }
  }

  /// Returns the fault of a step as it is said of the third in a row; nil for a healthy step.
  private func fault(loss: Double, gradientNorm: Double, uniform: Double?) -> String? {
    guard spike > 0 else { return nil }
    if gradientNorm == 0 && loss != 0 {
      return "its gradient is 0 for the third step in a row, at a loss of \(rounded(loss))"
    }
    guard let lowest = recent.min() else { return nil }
    let mean = recent.reduce(0, +) / Double(recent.count)
    let isEarly = recent.count < DivergenceGuard.window
    let multiple = isEarly ? spike * DivergenceGuard.earlyFactor : spike
    if loss > multiple * mean {
      return "its loss \(rounded(loss)) is the third in a row above \(multiple) × the recent mean "
        + "\(rounded(mean))"
    }
    guard let uniform, loss > DivergenceGuard.uniformFactor * max(uniform, lowest) else {
      return nil
    }
    return "its loss \(rounded(loss)) is the third in a row above "
      + "\(DivergenceGuard.uniformFactor) × that of a uniform guess, \(rounded(uniform))"
  }

  private func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
