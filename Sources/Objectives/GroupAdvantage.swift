/// Advantages from the rewards of several answers to one prompt (GRPO, Shao and others 2024).
public struct GroupAdvantage: Sendable, Equatable {
  /// Whether the differences from the group's mean are divided by its standard deviation.
  ///
  /// Liu and others (2025) do not: the division favours prompts that are too easy or too hard.
  public var isScaled: Bool
  /// Added to the standard deviation.
  public var epsilon: Double

  /// See the properties.
  public init(isScaled: Bool = true, epsilon: Double = 1e-4) {
    (self.isScaled, self.epsilon) = (isScaled, epsilon)
  }

  /// The advantage of every answer of a group, which all its tokens have.
  public func callAsFunction(_ rewards: [Double]) -> [Float] {
    let moments = Moments(rewards)
    let factor = isScaled ? 1 / (moments.variance.squareRoot() + epsilon) : 1
    return rewards.map { Float(($0 - moments.mean) * factor) }
  }
}
