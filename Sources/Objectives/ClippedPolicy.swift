import Glibc
import Tensors

/// The clipped policy loss of PPO (Schulman and others 2017) and GRPO (Shao and others 2024).
///
/// The loss of a token with log-probability l under the policy, l₀ under the old policy, which
/// sampled it, and l* under the reference model, with advantage A, entropy H, and ratio
/// ρ = exp(l − l₀):
///
///     max(−A·ρ, −A·clip(ρ, 1 − low, 1 + high)) + κ·(exp(l* − l) − 1 − (l* − l)) − η·H
///
/// PPO has κ = 0: its KL is part of the rewards. GRPO has the KL in the loss (k3). The derivative
/// with respect to l is −A·ρ when the unclipped term is the maximum, else 0, plus
/// κ·(1 − exp(l* − l)).
package struct ClippedPolicy: Sendable, Equatable {
  /// The distance below 1 at which the ratio is clipped.
  package var low: Double
  /// The distance above 1 at which the ratio is clipped.
  package var high: Double
  /// κ, the factor of the KL to the reference model in the loss.
  package var referenceKL: Double
  /// η, the factor of the entropy.
  package var entropyBonus: Double

  /// - Parameters:
  ///   - clip: The distance from 1 at which the ratio is clipped; 0.2 is usual.
  ///   - high: The distance above 1, if it differs (0.28 in DAPO).
  ///   - referenceKL: κ; 0 for PPO, 0.04 in Shao and others.
  ///   - entropyBonus: η; 0 for none.
  package init(
    clip: Double = 0.2, high: Double? = nil, referenceKL: Double = 0, entropyBonus: Double = 0
  ) {
    precondition(
      clip > 0 && clip < 1 && (high ?? clip) > 0 && referenceKL >= 0 && entropyBonus >= 0,
      "a clipped policy loss with clip \(clip), \(high ?? clip), KL \(referenceKL), entropy "
        + "\(entropyBonus)")
    (low, self.high) = (clip, high ?? clip)
    (self.referenceKL, self.entropyBonus) = (referenceKL, entropyBonus)
  }

  /// Returns the summed weighted loss of n tokens, with the sum of their weights as its count.
  ///
  /// - Parameters:
  ///   - policy: Log-probabilities and entropies of the tokens under the policy, [n].
  ///   - oldLogProbabilities: The log-probabilities before the first update, [n].
  ///   - advantages: The advantages, [n].
  ///   - reference: The log-probabilities under the reference model, [n]; nil without one. Required
  ///     when κ is not 0.
  ///   - weights: The loss mask and weights, [n]: 0 for a masked token, else 1 or a weight of
  ///     `TokenWeights`.
  package func callAsFunction(
    _ policy: TokenLogProbabilities, oldLogProbabilities: [Float], advantages: [Float],
    reference: [Float]? = nil, weights: [Float]
  ) -> Loss {
    let count = policy.chosen.count
    precondition(
      oldLogProbabilities.count == count && advantages.count == count && weights.count == count
        && reference.map { $0.count == count } ?? true,
      "ClippedPolicy: \(policy.chosen.shape) log-probabilities, \(oldLogProbabilities.count) old, "
        + "\(advantages.count) advantages, \(weights.count) weights")
    precondition(
      referenceKL == 0 || reference != nil, "ClippedPolicy: a KL without a reference model")
    var measures = Measures()
    let losses = policy.chosen.elementwise { token, new in
      let weight = Double(weights[token])
      guard weight != 0 else { return (0, 0) }
      var (loss, derivative) = clipped(
        logRatio: Double(new) - Double(oldLogProbabilities[token]),
        advantage: Double(advantages[token]), weight: weight, &measures)
      measures.add(Double(new), to: .logProbability)
      measures.add(Double(oldLogProbabilities[token]), to: .oldLogProbability)
      if let reference {
        measures.add(Double(reference[token]), to: .referenceLogProbability)
        let logRatio = Double(reference[token]) - Double(new)
        let k3 = expm1(logRatio) - logRatio
        measures.add(-logRatio, to: .referenceKL)
        measures.add(k3, to: .referenceKLk3)
        loss += referenceKL * k3
        derivative -= referenceKL * expm1(logRatio)
      }
      return (Float(weight * loss), Float(weight * derivative))
    }
    let total = weights.reduce(0) { $0 + Double($1) }
    let bonus = entropyBonus(of: policy.entropies, weights, &measures)
    let loss = Loss(losses, count: total, measures: measures)
    return bonus.map { loss + Loss($0, count: total, measures: Measures()) } ?? loss
  }

  /// Returns the clipped loss of one token and its derivative with respect to the log-probability.
  private func clipped(
    logRatio: Double, advantage: Double, weight: Double, _ measures: inout Measures
  ) -> (Double, Double) {
    let ratio = exp(logRatio)
    let free = -advantage * ratio
    let clipped = -advantage * min(max(ratio, 1 - low), 1 + high)
    let loss = max(free, clipped)
    measures.add(loss, to: .policyLoss, weight: weight)
    measures.add(clipped > free ? 1 : 0, to: .clipFraction)
    measures.add(ratio, to: .ratio)
    measures.add(ratio, to: .largestRatio)
    measures.add(-logRatio, to: .updateKL)
    measures.add(expm1(logRatio) - logRatio, to: .updateKLk3)
    return (loss, clipped > free ? 0 : free)
  }

  /// Returns −η·weight·H of every token, nil without a bonus; adds H to the measures.
  private func entropyBonus(
    of entropies: Tensor, _ weights: [Float], _ measures: inout Measures
  ) -> Tensor? {
    for token in 0..<entropies.count where weights[token] != 0 {
      measures.add(Double(entropies.pointer[token]), to: .entropy)
    }
    guard entropyBonus > 0 else { return nil }
    return entropies.elementwise { token, entropy in
      let factor = -Float(entropyBonus) * weights[token]
      return (factor * entropy, factor)
    }
  }
}
