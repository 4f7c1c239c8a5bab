// "Proportions, intervals, tests, correlation, agreement, calibration. Knows no model."

/// The fraction of trials that succeeded, such as a win rate or an accuracy, with its confidence
/// interval.
package struct Proportion: Sendable, Equatable {
  /// Number of successes, in 0...`trials`; a tie can count as one half.
  package let successes: Double
  /// Number of trials.
  package let trials: Int

  package init(_ successes: Double, of trials: Int) {
    precondition(
      successes >= 0 && successes <= Double(trials), "\(successes) successes of \(trials) trials")
    self.successes = successes
    self.trials = trials
  }

  package init(_ successes: Int, of trials: Int) {
    self.init(Double(successes), of: trials)
  }

  /// The fraction of successes; nil without trials.
  package var fraction: Double? { trials > 0 ? successes / Double(trials) : nil }

  /// Returns the score interval of Wilson (1927), without continuity correction.
  ///
  /// The interval lies within 0…1. It is reliable for few trials and for fractions near 0 and 1,
  /// where the interval of the normal approximation is not (Brown, Cai & DasGupta 2001). Without
  /// trials it is 0…1.
  ///
  /// - Parameter confidence: Probability that the interval covers the true fraction, in 0..<1.
  package func wilsonInterval(confidence: Double = 0.95) -> ClosedRange<Double> {
    precondition(confidence >= 0 && confidence < 1, "a confidence of \(confidence)")
    guard let fraction else { return 0...1 }
    let n = Double(trials)
    let z = StandardNormal.quantile((1 + confidence) / 2)
    let scale = 1 + z * z / n
    let centre = (fraction + z * z / (2 * n)) / scale
    let margin =
      z / scale * (fraction * (1 - fraction) / n + z * z / (4 * n * n)).squareRoot()
    // Exact at 0 and 1, where rounding would leave a remainder of about 1e-17.
    let lower = successes == 0 ? 0 : max(0, centre - margin)
    let upper = successes == Double(trials) ? 1 : min(1, centre + margin)
    return lower...upper
  }
}
