/// What objectives observe beside their loss.
public enum Measure: Int, CaseIterable, Sendable {
  /// The loss of what is counted, before coefficients.
  case loss
  /// Share of pairs with the chosen side in front, or of rows with the right class; half for a tie.
  case accuracy
  /// The chosen side's reward less the rejected side's.
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
  /// KL of the old policy from the new, log old − log new of a token (k1 in Schulman 2020).
  case updateKL
  /// The same by k3, which is never negative: ratio − 1 − log ratio.
  case updateKLk3
  /// KL of the policy from the reference, log policy − log reference of a token (k1).
  case referenceKL
  /// The same by k3: exp(log reference − log policy) − 1 − (log reference − log policy).
  case referenceKLk3
  /// Share of tokens whose ratio is clipped and gives no gradient.
  case clipFraction
  /// New over old probability of a token.
  case ratio
  /// The largest of these ratios.
  case largestRatio
  /// Share of tokens whose clipped value decides their loss.
  case valueClipFraction
  /// What the value head should have predicted.
  case returns
  /// Its square.
  case squaredReturns
  /// The return less the prediction.
  case valueError
  /// Its square.
  case squaredValueError

  /// Reward of an answer.
  case reward
  /// Its square.
  case squaredReward
  /// Tokens of an answer.
  case length
  /// Their square.
  case squaredLength
  /// Reward times tokens.
  case rewardLength
  /// Share of answers that ended by themselves.
  case ended
  /// The largest difference of a token's log-probability between sampling and training.
  case samplingDifference
  /// KL of the policy from the reference over an answer, nats: the sum over its tokens.
  case sequenceKL
  /// Share of answers of whose reward a part could not be had.
  case rewardFailures

  /// Its name in reports.
  public var name: String { "\(self)" }

  /// Whether people are to see it: the loss is told apart, and what only goes into a variance or a
  /// correlation is not told.
  var isReported: Bool {
    switch self {
    case .loss, .returns, .squaredReturns, .valueError, .squaredValueError, .squaredReward,
      .squaredLength, .rewardLength:
      false
    default: true
    }
  }

  /// Whether it is of use only to those who look closely.
  var isDetail: Bool {
    switch self {
    case .accuracy, .margin, .reward, .sequenceKL, .entropy, .clipFraction, .ended: false
    default: true
    }
  }

  /// Whether the largest of all is wanted, not their mean.
  var isLargest: Bool { self == .largestRatio || self == .samplingDifference }
}
