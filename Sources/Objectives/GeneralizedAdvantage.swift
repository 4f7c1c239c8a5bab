/// Generalized advantage estimation (Schulman and others 2016) over the tokens of a completion.
///
///     δ_t = r_t + γ·v_{t+1} − v_t,  A_t = δ_t + γλ·A_{t+1},  R_t = A_t + v_t
package struct GeneralizedAdvantage: Sendable, Equatable {
  /// γ, the discount of a token.
  package var discount: Double
  /// λ: 0 relies on the value head, 1 on the rewards.
  package var lambda: Double

  package init(discount: Double = 1, lambda: Double = 0.95) {
    precondition(
      (0...1).contains(discount) && (0...1).contains(lambda), "γ \(discount) and λ \(lambda)")
    (self.discount, self.lambda) = (discount, lambda)
  }

  /// Returns the advantages and returns of a completion's tokens.
  ///
  /// - Parameters:
  ///   - rewards: The reward of each token; see `TokenRewards`.
  ///   - values: The output of the value head before each token.
  ///   - last: The value after the last token; 0 when the completion has ended.
  package func callAsFunction(rewards: [Double], values: [Float], last: Double = 0) -> (
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

/// The rewards of a completion's tokens: −β·(log π − log ref) at each token, an estimate of the KL
/// to the reference model, plus the completion's score at the last (Ziegler and others 2019).
package struct TokenRewards: Sendable, Equatable {
  /// The reward of each token.
  package let rewards: [Double]
  /// The sum of log π − log ref over the tokens, nats.
  package let kl: Double

  /// - Parameters:
  ///   - score: The reward of the completion.
  ///   - coefficient: β.
  ///   - policy: Log-probabilities of the completion's tokens when it was sampled.
  ///   - reference: Log-probabilities of the same tokens under the reference model.
  package init(score: Double, coefficient: Double, policy: [Float], reference: [Float]) {
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
