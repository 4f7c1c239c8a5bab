/// Generalized advantage estimation (Schulman and others 2016) over the tokens of an answer.
///
///     δ_t = r_t + γ·v_{t+1} − v_t,  A_t = δ_t + γλ·A_{t+1},  R_t = A_t + v_t
public struct GeneralizedAdvantage: Sendable, Equatable {
  /// γ, the discount of a token.
  public var discount: Double
  /// λ: 0 trusts the value head, 1 the rewards.
  public var lambda: Double

  /// See the properties.
  public init(discount: Double = 1, lambda: Double = 0.95) {
    precondition(
      (0...1).contains(discount) && (0...1).contains(lambda), "γ \(discount) and λ \(lambda)")
    (self.discount, self.lambda) = (discount, lambda)
  }

  /// The advantages and returns of an answer's tokens.
  ///
  /// - Parameters:
  ///   - rewards: See `TokenRewards`.
  ///   - values: What the value head says before each token.
  ///   - last: The value after the last token; 0 where the answer is over.
  public func callAsFunction(rewards: [Double], values: [Float], last: Double = 0) -> (
    advantages: [Double], returns: [Double]
  ) {
    precondition(
      rewards.count == values.count, "\(rewards.count) rewards and \(values.count) values")
    var advantages = [Double](repeating: 0, count: rewards.count)
    var (following, advantage) = (last, 0.0)
    for token in rewards.indices.reversed() {
      let value = Double(values[token])
      advantage =
        rewards[token] + discount * following - value + discount * lambda * advantage
      advantages[token] = advantage
      following = value
    }
    return (advantages, zip(advantages, values).map { $0 + Double($1) })
  }
}

/// The rewards of an answer's tokens: −β·(log π − log ref) at each, which is an estimate of the KL to
/// the reference, and the answer's score at the last (Ziegler and others 2019).
public struct TokenRewards: Sendable, Equatable {
  /// Of each token.
  public let rewards: [Double]
  /// The sum of log π − log ref over the tokens, nats.
  public let kl: Double

  /// - Parameters:
  ///   - score: The answer's reward.
  ///   - coefficient: β.
  ///   - policy: Log-probabilities of the answer's tokens when it was sampled.
  ///   - reference: The same under the reference.
  public init(score: Double, coefficient: Double, policy: [Float], reference: [Float]) {
    precondition(
      policy.count == reference.count,
      "\(policy.count) tokens of the policy, \(reference.count) of the reference")
    let differences = zip(policy, reference).map { Double($0) - Double($1) }
    kl = differences.reduce(0, +)
    var rewards = differences.map { -coefficient * $0 }
    if !rewards.isEmpty { rewards[rewards.count - 1] += score }
    self.rewards = rewards
  }
}
