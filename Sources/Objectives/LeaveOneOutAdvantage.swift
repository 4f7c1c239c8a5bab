/// Advantages of several completions of one prompt by leave-one-out baselines (RLOO, Ahmadian and
/// others 2024): the reward of a completion minus the mean reward of the others.
///
/// The reward contains the KL penalty β·Σₜ(log π(t) − log π*(t)) of the whole completion.
package struct LeaveOneOutAdvantage: Sendable, Equatable {
  /// β, the coefficient of the KL penalty in nats.
  package var coefficient: Double

  /// - Parameter coefficient: β; 0 for no penalty.
  package init(coefficient: Double) {
    precondition(coefficient >= 0, "a KL coefficient of \(coefficient)")
    self.coefficient = coefficient
  }

  /// Returns the advantage of every completion of a group; all tokens of a completion share it.
  ///
  /// - Parameters:
  ///   - rewards: The rewards of at least two completions, without the penalty.
  ///   - kl: log π − log π* of each completion, summed over its tokens.
  package func callAsFunction(_ rewards: [Double], kl: [Double]) -> [Float] {
    precondition(
      rewards.count > 1 && rewards.count == kl.count,
      "\(rewards.count) rewards with \(kl.count) penalties have no leave-one-out baselines")
    let penalized = zip(rewards, kl).map { $0 - coefficient * $1 }
    let sum = penalized.reduce(0, +)
    return penalized.map { Float($0 - (sum - $0) / Double(rewards.count - 1)) }
  }
}
