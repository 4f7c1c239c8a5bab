import Objectives

/// REINFORCE with leave-one-out baselines (RLOO, Ahmadian and others 2024).
///
/// The advantage of a completion is its reward, with the KL penalty of the whole completion, minus
/// the mean of the others of its prompt. The ratio is clipped per token, as in PPO; TRL clips the
/// ratio of whole completions. In the first update of an iteration all ratios are 1 and the
/// gradients agree up to a constant factor.
struct RLOO: PolicyMethod {
  static let name = "rloo"
  static let unusedKeys = PolicyOptions.valueKeys + ["policy.scaled", "kl.target", "kl.horizon"]
  static let minimumSamples = 2
  static let hasValueHead = false

  let lossKL = 0.0
  let tokenWeights = TokenWeights.token
  private let advantage: LeaveOneOutAdvantage
  private let samples: Int

  init(_ options: PolicyOptions, samples: Int) {
    advantage = LeaveOneOutAdvantage(coefficient: options.kl)
    self.samples = samples
  }

  func computeAdvantages(of rollouts: inout [Rollouts.Rollout], variables: inout [String: Double]) {
    for first in stride(from: 0, to: rollouts.count, by: samples) {
      let group = first..<first + samples
      let own = advantage(rollouts[group].map(\.reward), kl: rollouts[group].map(\.kl))
      for (index, value) in zip(group, own) { rollouts[index].setAdvantage(value) }
    }
  }
}
