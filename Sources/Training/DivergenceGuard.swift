/// Detects a diverging run before the next checkpoint would keep its weights.
///
/// A loss or gradient norm that is not finite ends the run at once. A loss above `spike` times the
/// mean of the last 32 healthy losses ends it after three steps in a row, because single bad
/// batches are normal. Until there are 32 losses, the limit is ten times as high.
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

  /// True when the last loss was too high; no checkpoint is published meanwhile.
  package var hasLossSpike: Bool { above > 0 }

  /// Checks the loss and gradient norm of step `step`, counted from 1.
  package mutating func observe(step: Int, loss: Double, gradientNorm: Double)
    throws(Diverged)
  {
    guard loss.isFinite else { throw Diverged(step: step, "loss", is: loss) }
    guard gradientNorm.isFinite else {
      throw Diverged(step: step, "gradient norm", is: gradientNorm)
    }
    let mean = recent.reduce(0, +) / Double(max(1, recent.count))
    let isEarly = recent.count < DivergenceGuard.window
    let multiple = isEarly ? spike * DivergenceGuard.earlyFactor : spike
    if spike > 0 && !recent.isEmpty && loss > multiple * mean {
      above += 1
      if above >= DivergenceGuard.patience {
        throw Diverged(
          step: step,
          reason:
            "its loss \(rounded(loss)) is the third in a row above \(multiple) × the recent mean "
            + "\(rounded(mean))")
      }
      return
    }
    above = 0
    recent.append(loss)
    if recent.count > DivergenceGuard.window { recent.removeFirst() }
  }

  private func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
