import Glibc
import Tensors

/// The clipped policy loss of PPO (Schulman and others 2017) and GRPO (Shao and others 2024).
///
/// Of a token with log-probability l under the policy, l₀ when it was sampled, l* under the reference,
/// advantage A, entropy H, and ratio ρ = exp(l − l₀):
///
///     max(−A·ρ, −A·clip(ρ, 1 − low, 1 + high)) + κ·(exp(l* − l) − 1 − (l* − l)) − η·H
///
/// PPO has κ = 0: its KL is part of the rewards. GRPO has it in the loss (k3). Derivative by l:
/// −A·ρ where the unclipped side decides, else 0, and κ·(1 − exp(l* − l)).
public struct ClippedPolicy: Sendable, Equatable {
  /// How far the ratio may fall below 1.
  public var low: Double
  /// How far the ratio may rise above 1.
  public var high: Double
  /// κ, the factor of the KL to the reference in the loss.
  public var referenceKL: Double
  /// η, the factor of the entropy.
  public var entropyBonus: Double

  /// - Parameters:
  ///   - clip: How far the ratio may fall below 1; 0.2 is usual.
  ///   - high: How far it may rise above 1, where that differs (0.28 in DAPO).
  ///   - referenceKL: κ; 0 for PPO, 0.04 in Shao and others.
  ///   - entropyBonus: η; 0 for none.
  public init(
    clip: Double = 0.2, high: Double? = nil, referenceKL: Double = 0, entropyBonus: Double = 0
  ) {
    precondition(
      clip > 0 && clip < 1 && (high ?? clip) > 0 && referenceKL >= 0 && entropyBonus >= 0,
      "a clipped policy loss with clip \(clip), \(high ?? clip), KL \(referenceKL), entropy "
        + "\(entropyBonus)")
    (low, self.high) = (clip, high ?? clip)
    (self.referenceKL, self.entropyBonus) = (referenceKL, entropyBonus)
  }

  /// The sum of the tokens' losses over the sum of their weights.
  ///
  /// - Parameters:
  ///   - policy: Log-probabilities and entropies of n tokens, of the policy that is trained.
  ///   - old: The log-probabilities before the first update.
  ///   - advantages: The tokens' advantages.
  ///   - reference: The log-probabilities under the reference; nil where there is none, and needed
  ///     where κ is not 0.
  ///   - weights: A factor for each token: 0 for one that is not trained; else 1, or see
  ///     `TokenWeights`.
  public func callAsFunction(
    _ policy: TokenLogProbabilities, old: [Float], advantages: [Float], reference: [Float]? = nil,
    weights: [Float]
  ) -> Loss {
    let count = policy.chosen.count
    precondition(
      old.count == count && advantages.count == count && weights.count == count
        && reference.map { $0.count == count } ?? true,
      "ClippedPolicy: \(policy.chosen.shape) log-probabilities, \(old.count) old, "
        + "\(advantages.count) advantages, \(weights.count) weights")
    precondition(referenceKL == 0 || reference != nil, "ClippedPolicy: a KL without a reference")
    var measures = Measures()
    let losses = policy.chosen.elementwise { token, new in
      let weight = Double(weights[token])
      guard weight != 0 else { return (0, 0) }
      var (loss, slope) = clipped(
        logRatio: Double(new) - Double(old[token]), advantage: Double(advantages[token]),
        weight: weight, &measures)
      if let reference {
        let behind = Double(reference[token]) - Double(new)
        let k3 = expm1(behind) - behind
        measures.add(-behind, to: .referenceKL)
        measures.add(k3, to: .referenceKLk3)
        loss += referenceKL * k3
        slope -= referenceKL * expm1(behind)
      }
      return (Float(weight * loss), Float(weight * slope))
    }
    let total = weights.reduce(0) { $0 + Double($1) }
    let bonus = entropyBonus(of: policy.entropies, weights, &measures)
    let loss = Loss(losses, count: total, measures: measures)
    return bonus.map { loss + Loss($0, count: total, measures: Measures()) } ?? loss
  }

  /// The clipped loss of one token and its derivative by the log-probability.
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

  /// −η·H of every token, and H for the measures; nil without a bonus.
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
