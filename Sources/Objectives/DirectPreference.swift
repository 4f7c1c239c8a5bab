import Tensors

/// Direct preference optimization: a policy from preference pairs, without a reward model.
///
/// Of a pair, with the log-probabilities of its answers under the policy and under the frozen
/// reference, h = (log π(chosen) − log ref(chosen)) − (log π(rejected) − log ref(rejected)):
///
///     sigmoid   −(1 − ε)·log σ(β·h) − ε·log σ(−β·h)      Rafailov and others 2023; ε > 0: cDPO,
///                                                         Mitchell 2023
///     IPO       (h' − 1/(2β))²                            Azar and others 2023; h' of the mean
///                                                         log-probabilities of a token, as TRL
///
/// β·(log π − log ref) is an answer's implicit reward.
public struct DirectPreference: Sendable, Equatable {
  /// How a pair's difference becomes a loss.
  public enum Form: Sendable, Equatable {
    /// The logistic loss, with the share ε of labels believed wrong, in [0, 0.5).
    case sigmoid(labelSmoothing: Double)
    /// The squared distance from 1/(2β), of means over tokens.
    case ipo
  }

  /// How close the policy stays to the reference; 0.1 is usual.
  public var beta: Double
  /// How a pair's difference becomes a loss.
  public var form: Form

  /// See the properties.
  public init(beta: Double, form: Form = .sigmoid(labelSmoothing: 0)) {
    precondition(beta > 0, "a β of \(beta)")
    if case .sigmoid(let smoothing) = form {
      precondition((0..<0.5).contains(smoothing), "a label smoothing of \(smoothing)")
    }
    self.beta = beta
    self.form = form
  }

  /// The sum of the pairs' losses.
  ///
  /// - Parameters:
  ///   - policy: Log-probabilities of 2P answers, each summed over its tokens; pair i is 2i (chosen)
  ///     and 2i + 1 (rejected).
  ///   - reference: The same under the reference.
  ///   - lengths: Tokens of each answer, at least 1.
  ///   - weights: A factor for each pair, 0 for one that does not count; nil for all 1.
  public func callAsFunction(
    policy: Tensor, reference: [Float], lengths: [Int], weights: [Float]? = nil
  ) -> Loss {
    let pairs = policy.count / 2
    precondition(
      policy.count == 2 * pairs && reference.count == 2 * pairs && lengths.count == 2 * pairs
        && weights.map { $0.count == pairs } ?? true,
      "DirectPreference: \(policy.shape) of the policy, \(reference.count) of the reference, "
        + "\(lengths.count) lengths, \(weights?.count ?? pairs) weights")
    var measures = Measures()
    let losses = policy.reshaped([pairs, 2]).rowwise { pair, policy, slopes in
      let weight = Double(weights?[pair] ?? 1)
      guard weight != 0 else {
        slopes.update(repeating: 0)
        return 0
      }
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
      let (loss, slope) = lossAndSlope(
        at: leads.chosen * scales.chosen - leads.rejected * scales.rejected)
      slopes[0] = Float(weight * slope * scales.chosen)
      slopes[1] = Float(-weight * slope * scales.rejected)
      measures.add(loss, to: .loss, weight: weight)
      measures.addPair(chosen: beta * leads.chosen, rejected: beta * leads.rejected)
      return Float(weight * loss)
    }
    return Loss(losses, count: weights.total(of: pairs), measures: measures)
  }

  /// The loss of a pair whose answers differ by `difference`, and its derivative.
  private func lossAndSlope(at difference: Double) -> (Double, Double) {
    switch form {
    case .sigmoid(let smoothing):
      let x = beta * difference
      // d/dx log σ(x) = σ(−x); the two terms' derivatives come to ε − σ(−x).
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
