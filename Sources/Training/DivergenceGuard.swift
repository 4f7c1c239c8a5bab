/// Detects a diverging run before the next checkpoint would keep its weights.
///
/// A loss or gradient norm that is not finite ends the run at once. A loss above `spike` times the
/// mean of the last 32 healthy losses ends it after three steps in a row, because single bad
/// batches are normal. Until there are 32 losses, the limit is ten times as high. So do a gradient of
/// 0, which weights have that no longer affect the loss, and a loss above twice that of a guess
/// without the input, to which a slow divergence climbs. The latter counts when the recent excess is
/// more than that of `mostExcess` predictions: a step may have only a few, of which one can be wrong
/// with a large loss. The excess is a cumulative sum that restarts at 0 (Page 1954).
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
  static let guessFactor = 2.0
  static let mostExcess = 32.0
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
  /// - Parameters:
  ///   - loss: The mean loss of the step's predictions.
  ///   - count: The number of predictions.
  ///   - guess: The loss of a guess without the input; nil for a loss that has none.
  package mutating func observe(
    step: Int, loss: Double, count: Double, gradientNorm: Double, guess: Double? = nil
  ) throws(Diverged) {
    guard loss.isFinite else { throw Diverged(step: step, "loss", is: loss) }
    guard gradientNorm.isFinite else {
      throw Diverged(step: step, "gradient norm", is: gradientNorm)
    }
    let fault =
      fault(loss: loss, gradientNorm: gradientNorm)
      ?? guess.flatMap { excess(loss: loss, count: count, guess: $0) }
    if let fault {
      above += 1
      if above >= DivergenceGuard.patience { throw Diverged(step: step, reason: fault) }
      return
    }
    above = 0
    recent.append(loss)
    if recent.count > DivergenceGuard.window { recent.removeFirst() }
  }

  /// Returns the fault of a step as it is said of the third in a row; nil for a healthy step.
  private func fault(loss: Double, gradientNorm: Double) -> String? {
    guard spike > 0 else { return nil }
    if gradientNorm == 0 && loss != 0 {
      return "its gradient is 0 for the third step in a row, at a loss of \(rounded(loss))"
    }
    guard !recent.isEmpty else { return nil }
    let mean = recent.reduce(0, +) / Double(recent.count)
    let isEarly = recent.count < DivergenceGuard.window
    let multiple = isEarly ? spike * DivergenceGuard.earlyFactor : spike
    guard loss > multiple * mean else { return nil }
    return "its loss \(rounded(loss)) is the third in a row above \(multiple) × the recent mean "
      + "\(rounded(mean))"
  }

  /// Returns the fault of a loss far above that of a guess, as it is said of the third in a row.
  ///
  /// A model that begins above is compared with its own lowest recent loss.
  private func excess(loss: Double, count: Double, guess: Double) -> String? {
    guard spike > 0, let lowest = recent.min() else { return nil }
    let limit = DivergenceGuard.guessFactor * max(guess, lowest)
    guard loss > limit else { return nil }
    let excess = (recent + [loss]).reduce(0.0) { excess, loss in
      max(0, excess + count * (loss - limit) / max(guess, lowest))
    }
    guard excess > DivergenceGuard.mostExcess else { return nil }
    return "its loss \(rounded(loss)) is the third in a row above \(DivergenceGuard.guessFactor) × "
      + "that of a guess without the input, \(rounded(guess))"
  }

  private func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
