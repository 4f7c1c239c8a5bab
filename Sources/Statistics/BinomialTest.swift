import Glibc

/// The exact test of a number of successes against a probability of success.
///
/// Of win rates: the wins among the pairs that were decided, against one half (the sign test). Of two
/// classifiers on the same examples: those that only the first got right among those that one of
/// them alone got right, against one half (McNemar's exact test).
public enum BinomialTest {
  /// The two-sided p-value: the probability of all outcomes that are no more likely than `successes`
  /// of `trials`, when a trial succeeds with `probability`.
  ///
  /// 1 without a trial. Takes time in proportion to `trials`.
  public static func pValue(
    successes: Int, trials: Int, probability: Double = 0.5
  ) -> Double {
    precondition(0...trials ~= successes, "\(successes) successes of \(trials) trials")
    precondition(probability >= 0 && probability <= 1, "a probability of \(probability)")
    let observed = mass(successes, of: trials, probability)
    // Outcomes of one and the same probability differ by rounding.
    let limit = observed * (1 + 1e-7)
    let sum = (0...trials).reduce(0.0) { sum, count in
      let mass = mass(count, of: trials, probability)
      return mass <= limit ? sum + mass : sum
    }
    return min(1, sum)
  }

  /// The probability of exactly `count` successes.
  private static func mass(_ count: Int, of trials: Int, _ probability: Double) -> Double {
    // 0·log 0 is 0 here, not the NaN of arithmetic.
    let term = { (count: Int, probability: Double) in
      count == 0 ? 0 : Double(count) * log(probability)
    }
    return exp(
      logFactorial(trials) - logFactorial(count) - logFactorial(trials - count)
        + term(count, probability) + term(trials - count, 1 - probability))
  }

  private static func logFactorial(_ n: Int) -> Double { lgamma(Double(n) + 1).0 }
}
