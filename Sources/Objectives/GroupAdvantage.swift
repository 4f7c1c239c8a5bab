/// Advantages from the rewards of several completions of one prompt (GRPO, Shao and others 2024).
package struct GroupAdvantage: Sendable, Equatable {
  /// True to divide the differences from the group's mean by its standard deviation.
  ///
  /// Liu and others (2025) leave the division out, because it favours prompts that are too easy or
  /// too hard.
  package var isScaled: Bool
  /// Added to the standard deviation.
  package var epsilon: Double

  package init(isScaled: Bool = true, epsilon: Double = 1e-4) {
    (self.isScaled, self.epsilon) = (isScaled, epsilon)
  }

  /// Returns the advantage of every completion of a group; all tokens of a completion share it.
  package func callAsFunction(_ rewards: [Double]) -> [Float] {
    let moments = Moments(rewards)
    let factor = isScaled ? 1 / (moments.variance.squareRoot() + epsilon) : 1
    return rewards.map { Float(($0 - moments.mean) * factor) }
  }
}
