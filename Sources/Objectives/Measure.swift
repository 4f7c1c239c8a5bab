/// A figure that objectives observe beside their loss.
package enum Measure: Int, CaseIterable, Sendable {
  /// The loss of a pair or sequence, before coefficients.
  case loss
  /// Fraction of pairs whose chosen side has the higher reward (a tie counts half), or of sequences
  /// with the right class.
  case accuracy
  /// The chosen side's reward minus the rejected side's.
  case margin
  /// Reward of the chosen side: a score, or DPO's implicit reward.
  case chosenReward
  /// Reward of the rejected side.
  case rejectedReward

  /// The clipped policy loss of a token.
  case policyLoss
  /// The clipped value loss of a token.
  case valueLoss
  /// Entropy of the policy at a token, nats.
  case entropy
  /// KL of the update, nats: log old − log new probability of a token (k1 in Schulman 2020).
  case updateKL
  /// KL of the update by k3, which is never negative: ratio − 1 − log ratio.
  case updateKLk3
  /// KL of the policy from the reference model, nats: log policy − log reference of a token (k1).
  case referenceKL
  /// KL from the reference model by k3:
  /// exp(log reference − log policy) − 1 − (log reference − log policy).
  case referenceKLk3
  /// Log-probability of a token under the policy, nats: of a sampled completion or a chosen answer.
  case logProbability
  /// Log-probability of a sampled token under the policy before the first update.
  case oldLogProbability
  /// Log-probability of the token under the reference model.
  case referenceLogProbability
  /// Fraction of tokens whose ratio is clipped, which gives no gradient.
  case clipFraction
  /// New over old probability of a token.
  case ratio
  /// The largest ratio.
  case largestRatio
  /// Fraction of tokens whose clipped value determines their loss.
  case valueClipFraction
  /// The return of a token, which the value head should predict.
  case returns
  case squaredReturns
  /// The return minus the predicted value.
  case valueError
  case squaredValueError

  /// Reward of a completion.
  case reward
  case squaredReward
  /// Number of tokens of a completion.
  case length
  case squaredLength
  /// Reward times length.
  case rewardLength
  /// Fraction of completions that end with the end token.
  case ended
  /// The largest difference of a token's log-probability between sampling and training, nats.
  case samplingDifference
  /// KL of the policy from the reference model over a completion, nats: the sum over its tokens.
  case sequenceKL
  /// Fraction of completions that lack a part of their reward because it failed.
  case rewardFailures

  /// The name in reports.
  package var name: String { "\(self)" }

  /// True when reports show the measure.
  ///
  /// The loss is reported separately, and the inputs of a variance, of a correlation or of
  /// `Measures.collapse(vocabulary:)` are not reported.
  var isReported: Bool {
    switch self {
    case .loss, .logProbability, .oldLogProbability, .referenceLogProbability, .returns,
      .squaredReturns, .valueError, .squaredValueError, .squaredReward,
      .squaredLength, .rewardLength:
      false
    default: true
    }
  }

  /// True when only detailed reports show the measure.
  var isDetail: Bool {
    switch self {
    case .accuracy, .margin, .reward, .sequenceKL, .entropy, .clipFraction, .ended: false
    default: true
    }
  }

  /// True when the largest observation is reported, not the mean.
  var isLargest: Bool { self == .largestRatio || self == .samplingDifference }
}
