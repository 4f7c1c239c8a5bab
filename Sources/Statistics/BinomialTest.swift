import Glibc

/// The exact test of a number of successes against a probability of success.
///
/// - For a win rate, the sign test: the wins among the decided pairs, against one half.
/// - For two classifiers on the same examples, McNemar's exact test: the examples that only the
///   first classifies correctly, among those that exactly one of them does, against one half.
package enum BinomialTest {
  /// Returns the two-sided p-value: the probability of all outcomes that are no more likely than
  /// `successes` of `trials`, when a trial succeeds with `probability`.
  ///
  /// It is 1 when there are no trials. Complexity: O(`trials`).
  package static func pValue(
    successes: Int, trials: Int, probability: Double = 0.5
  ) -> Double {
    precondition(0...trials ~= successes, "\(successes) successes of \(trials) trials")
    precondition(probability >= 0 && probability <= 1, "a probability of \(probability)")
    let observed = mass(successes, of: trials, probability)
    // Outcomes of equal probability differ by rounding.
    let limit = observed * (1 + 1e-7)
    let sum = (0...trials).reduce(0.0) { sum, count in
      let mass = mass(count, of: trials, probability)
      return mass <= limit ? sum + mass : sum
    }
    return min(1, sum)
  }

  /// The probability of exactly `count` successes.
  private static func mass(_ count: Int, of trials: Int, _ probability: Double) -> Double {
    // 0·log 0 counts as 0; floating-point arithmetic would give NaN.
    let term = { (count: Int, probability: Double) in
      count == 0 ? 0 : Double(count) * log(probability)
    }
    return exp(
      logFactorial(trials) - logFactorial(count) - logFactorial(trials - count)
        + term(count, probability) + term(trials - count, 1 - probability))
  }

  private static func logFactorial(_ n: Int) -> Double { lgamma(Double(n) + 1).0 }
}
