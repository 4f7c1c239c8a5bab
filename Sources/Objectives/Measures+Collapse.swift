import Glibc

/// Detects a collapsed policy by log-probabilities, because the loss does not show it: the surrogate
/// of PPO, GRPO and RLOO is near 0 for every policy, and DPO's loss falls to 0 when both answers
/// become impossible.
///
/// Text is lost when a model gives it ln V nats per token or more, as for uniformly random tokens of
/// a vocabulary of V. A policy that is certain of every token has gradient 0.
extension Measures {
  /// The least fall of the log-probability per token, in nats, beside the other model.
  ///
  /// An untrained model is near ln V from the start.
  private static let leastFall = 1.0
  /// The most nats per token of a policy that is certain of every token.
  ///
  /// Gradient descent with a sound learning rate comes near certainty ever more slowly, and does not
  /// reach this.
  private static let certain = 1e-6

  /// Returns the sign of a collapse, as the part of a sentence; nil without one.
  ///
  /// Sampled completions are judged by the reference model and by the updated policy, each beside the
  /// policy that sampled them; chosen answers by the policy beside the reference model.
  package func collapse(vocabulary: Int) -> String? {
    guard let policy = self[.logProbability], let reference = self[.referenceLogProbability] else {
      return nil
    }
    func sign(_ text: String, _ value: Double, beside other: Double, to model: String) -> String? {
      let chance = log(Double(vocabulary))
      // A uniform distribution has ln V up to rounding. Text that the other model gives no more than
      // that, such as text in a foreign script, was not lost.
      guard -value >= 0.999 * chance, -other <= 1.001 * chance, other - value >= Self.leastFall
      else { return nil }
      return "\(text) \(HealthCheck.text(-value)) nats per token to \(model), no less than the "
        + "\(HealthCheck.text(chance)) of random tokens"
    }
    guard let old = self[.oldLogProbability] else {
      return sign("the chosen answers have", policy, beside: reference, to: "the policy")
    }
    if -old < Self.certain && old - reference >= Self.leastFall {
      return "its completions are certain to it, and have \(HealthCheck.text(-reference)) nats per "
        + "token to the initial model"
    }
    return sign("its completions have", reference, beside: old, to: "the initial model")
      ?? sign("its own completions have", policy, beside: old, to: "the updated policy")
  }

  /// Adds an answer of `length` tokens with its log-probabilities, summed over the tokens.
  mutating func addAnswer(logProbability: Double, reference: Double, length: Int) {
    let length = Double(max(1, length))
    add(logProbability / length, to: .logProbability, weight: length)
    add(reference / length, to: .referenceLogProbability, weight: length)
  }
}
