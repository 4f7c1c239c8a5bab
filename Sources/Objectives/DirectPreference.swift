import Tensors

/// Direct preference optimization (DPO): trains a policy on preference pairs without a reward
/// model.
///
/// The loss of a pair, with the log-probabilities of its completions under the policy π and the
/// frozen reference model, and
/// h = (log π(chosen) − log ref(chosen)) − (log π(rejected) − log ref(rejected)):
///
///     sigmoid   −(1 − ε)·log σ(β·h) − ε·log σ(−β·h)      Rafailov and others 2023; ε > 0: cDPO,
///                                                         Mitchell 2023
///     IPO       (h' − 1/(2β))²                            Azar and others 2023; h' has the mean
///                                                         log-probability per token, as in TRL
///
/// β·(log π − log ref) is the implicit reward of a completion.
package struct DirectPreference: Sendable, Equatable {
  /// The loss function of a pair.
  package enum Form: Sendable, Equatable {
    /// The logistic loss, with the assumed fraction ε of wrong labels, in [0, 0.5).
    case sigmoid(labelSmoothing: Double)
    /// The squared distance of h' from 1/(2β), with means over tokens.
    case ipo
  }

  /// β: a larger one keeps the policy closer to the reference model; 0.1 is usual.
  package var beta: Double
  /// The loss function of a pair.
  package var form: Form

  package init(beta: Double, form: Form = .sigmoid(labelSmoothing: 0)) {
    precondition(beta > 0, "a β of \(beta)")
    if case .sigmoid(let smoothing) = form {
      precondition((0..<0.5).contains(smoothing), "a label smoothing of \(smoothing)")
    }
    self.beta = beta
    self.form = form
  }

  /// Returns the summed loss of the pairs.
  ///
  /// - Parameters:
  ///   - policy: Log-probabilities of 2P completions under the policy, each summed over its tokens;
  ///     pair i has the completions 2i (chosen) and 2i + 1 (rejected).
  ///   - reference: The log-probabilities under the reference model, [2P].
  ///   - lengths: Number of tokens of each completion, at least 1, [2P].
  package func callAsFunction(
    policy: Tensor, reference: [Float], lengths: [Int]
  ) -> Loss {
    let pairs = policy.count / 2
    precondition(
      policy.count == 2 * pairs && reference.count == 2 * pairs && lengths.count == 2 * pairs,
      "DirectPreference: \(policy.shape) of the policy, \(reference.count) of the reference, "
        + "\(lengths.count) lengths")
    return Loss(rowsOf: policy.reshaped([pairs, 2])) {
      pair, policy, gradient, measures in
      let (chosen, rejected) = (2 * pair, 2 * pair + 1)
      let leads = (
        chosen: Double(policy[0]) - Double(reference[chosen]),
        rejected: Double(policy[1]) - Double(reference[rejected])
      )
      let scales =
        form == .ipo
        ? (
          chosen: 1 / Double(max(1, lengths[chosen])),
          rejected: 1 / Double(max(1, lengths[rejected]))
        )
        : (chosen: 1, rejected: 1)
      let (loss, derivative) = lossAndDerivative(
        at: leads.chosen * scales.chosen - leads.rejected * scales.rejected)
      gradient[0] = Float(derivative * scales.chosen)
      gradient[1] = Float(-derivative * scales.rejected)
      measures.addPair(chosen: beta * leads.chosen, rejected: beta * leads.rejected)
      measures.addAnswer(
        logProbability: Double(policy[0]), reference: Double(reference[chosen]),
        length: lengths[chosen])
      return loss
    }
  }

  /// Returns the loss of a pair at h (or h') = `difference`, and its derivative.
  private func lossAndDerivative(at difference: Double) -> (Double, Double) {
    switch form {
    case .sigmoid(let smoothing):
      let x = beta * difference
      // d/dx log σ(x) = σ(−x); the derivatives of the two terms add up to ε − σ(−x).
      return (
        -(1 - smoothing) * Logistic.logSigmoid(x) - smoothing * Logistic.logSigmoid(-x),
        beta * (smoothing - Logistic.sigmoid(-x))
      )
    case .ipo:
      let distance = difference - 1 / (2 * beta)
      return (distance * distance, 2 * distance)
    }
  }
}
