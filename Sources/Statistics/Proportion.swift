// "Numbers about numbers. Knows no model."

/// A share of trials that succeeded, such as a win rate or an accuracy, and how sure of it one is.
public struct Proportion: Sendable, Equatable {
  /// Trials that succeeded; a tie may count as half of one.
  public let successes: Double
  /// All trials.
  public let trials: Int

  /// `successes` of `trials`, from none of them to all.
  public init(_ successes: Double, of trials: Int) {
    precondition(
      successes >= 0 && successes <= Double(trials), "\(successes) successes of \(trials) trials")
    self.successes = successes
    self.trials = trials
  }

  /// `successes` of `trials`, from none of them to all.
  public init(_ successes: Int, of trials: Int) {
    self.init(Double(successes), of: trials)
  }

  /// The share itself; nil without a trial.
  public var share: Double? { trials > 0 ? successes / Double(trials) : nil }

  /// The score interval of Wilson (1927), without correction for continuity.
  ///
  /// Within 0…1, and of use for few trials and for shares near 0 and 1, where the interval of the
  /// normal approximation is not (Brown, Cai & DasGupta 2001). 0…1 without a trial.
  ///
  /// - Parameter confidence: Probability that the interval covers the true share, in 0..<1.
  public func wilsonInterval(confidence: Double = 0.95) -> ClosedRange<Double> {
    precondition(confidence >= 0 && confidence < 1, "a confidence of \(confidence)")
    guard let share else { return 0...1 }
    let n = Double(trials)
    let z = StandardNormal.quantile((1 + confidence) / 2)
    let scale = 1 + z * z / n
    let centre = (share + z * z / (2 * n)) / scale
    let reach = z / scale * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    // Exact at the ends, where rounding would leave a remainder of the size of 1e-17.
    let lower = successes == 0 ? 0 : max(0, centre - reach)
    let upper = successes == Double(trials) ? 1 : min(1, centre + reach)
    return lower...upper
  }
}
