import Tensors

/// Kahneman–Tversky optimization (KTO, Ethayarajh and others 2024): trains a policy on single answers
/// that are called good or bad.
///
/// The loss of an answer, with its log-probabilities under the policy π and the frozen reference model,
/// r = log π − log ref, and the KL estimate z:
///
///     good   w₊·(1 − σ(β·(r − z)))
///     bad    w₋·(1 − σ(β·(z − r)))
///
/// z is max(0, mean of log π − log ref) over the micro-batch's prompts, each with the answer to another
/// one; it has no gradient. As in TRL, losses are divided by the number of answers, not by their
/// weights.
package struct KahnemanTversky: Sendable, Equatable {
  /// β: a larger one keeps the policy closer to the reference model; 0.1 is usual.
  package var beta: Double
  /// w₊, the weight of good answers.
  package var desirableWeight: Double
  /// w₋, the weight of bad answers.
  package var undesirableWeight: Double

  package init(beta: Double, desirableWeight: Double = 1, undesirableWeight: Double = 1) {
    precondition(
      beta > 0 && desirableWeight >= 0 && undesirableWeight >= 0,
      "a β of \(beta) and weights of \(desirableWeight) and \(undesirableWeight)")
    self.beta = beta
    self.desirableWeight = desirableWeight
    self.undesirableWeight = undesirableWeight
  }

  /// Returns z of n mismatched answers, from their summed log-probabilities under the policy and under
  /// the reference model.
  package static func divergence(policy: [Float], reference: [Float]) -> Double {
    precondition(
      policy.count == reference.count && !policy.isEmpty,
      "KahnemanTversky: \(policy.count) of the policy, \(reference.count) of the reference")
    let sum = zip(policy, reference).reduce(0) { $0 + Double($1.0) - Double($1.1) }
    return max(0, sum / Double(policy.count))
  }

  /// Returns the summed loss of n answers.
  ///
  /// - Parameters:
  ///   - policy: Log-probabilities under the policy, each summed over the answer's tokens, [n].
  ///   - reference: The log-probabilities under the reference model, [n].
  ///   - lengths: Number of tokens of each answer, at least 1, [n].
  ///   - isDesirable: True for a good answer, [n].
  ///   - divergence: z, in nats.
  package func callAsFunction(
    policy: Tensor, reference: [Float], lengths: [Int], isDesirable: [Bool], divergence: Double
  ) -> Loss {
    let count = policy.count
    precondition(
      reference.count == count && lengths.count == count && isDesirable.count == count,
      "KahnemanTversky: \(policy.shape) of the policy, \(reference.count) of the reference, "
        + "\(lengths.count) lengths, \(isDesirable.count) labels")
    return Loss(rowsOf: policy.reshaped([count, 1])) {
      row, policy, gradient, measures in
      let ratio = Double(policy[0]) - Double(reference[row])
      let sign: Double = isDesirable[row] ? 1 : -1
      let weight = isDesirable[row] ? desirableWeight : undesirableWeight
      let x = sign * beta * (ratio - divergence)
      // 1 − σ(x) = σ(−x), whose derivative is −σ(x)·σ(−x).
      gradient[0] = Float(-weight * sign * beta * Logistic.sigmoid(x) * Logistic.sigmoid(-x))
      measures.add(beta * ratio, to: isDesirable[row] ? .chosenReward : .rejectedReward)
      measures.add(divergence, to: .sequenceKL)
      if isDesirable[row] {
        measures.addAnswer(
          logProbability: Double(policy[0]), reference: Double(reference[row]),
          length: lengths[row])
      }
      return weight * Logistic.sigmoid(-x)
    }
  }
}
