import Objectives

/// Group-relative policy optimization (Shao and others 2024).
///
/// The advantage of a completion is its reward relative to the other completions of its prompt, and
/// the KL penalty is a term of the loss.
struct GRPO: PolicyMethod {
  static let name = "grpo"
  static let unusedKeys = PolicyOptions.valueKeys + ["kl.target", "kl.horizon"]
  static let minimumSamples = 2
  static let hasValueHead = false

  let lossKL: Double
  let tokenWeights = TokenWeights.completion
  private let advantage: GroupAdvantage
  private let samples: Int

  init(_ options: PolicyOptions, samples: Int) {
    lossKL = options.kl
    advantage = GroupAdvantage(isScaled: options.isScaled)
    self.samples = samples
  }

  func computeAdvantages(of rollouts: inout [Rollouts.Rollout], variables: inout [String: Double]) {
    for first in stride(from: 0, to: rollouts.count, by: samples) {
      let group = first..<first + samples
      for (index, own) in zip(group, advantage(rollouts[group].map(\.reward))) {
        rollouts[index].setAdvantage(own)
      }
    }
  }
}
