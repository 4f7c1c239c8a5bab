import Objectives

/// Proximal policy optimization with a value head (Schulman and others 2017; Ouyang and others 2022).
///
/// The reward of a token is the KL penalty to the reference model, and the last token also has the
/// reward of the completion. Advantages are generalized advantage estimates, whitened over the
/// iteration.
struct PPO: PolicyMethod {
  static let name = "ppo"
  static let unusedKeys = ["policy.scaled"]
  static let minimumSamples = 1
  static let hasValueHead = true

  let lossKL = 0.0
  let tokenWeights = TokenWeights.token
  private let estimate: GeneralizedAdvantage
  private let coefficient: Double
  private let rule: KLController.Rule

  init(_ options: PolicyOptions, samples: Int) {
    estimate = GeneralizedAdvantage(discount: options.discount, lambda: options.lambda)
    coefficient = options.kl
    rule = options.klRule
  }

  private static let coefficientKey = "klCoefficient"

  func computeAdvantages(of rollouts: inout [Rollouts.Rollout], variables: inout [String: Double]) {
    var controller = KLController(
      coefficient: variables[Self.coefficientKey] ?? coefficient, rule: rule)
    var moments = Moments()
    var advantages: [[Double]] = []
    for index in rollouts.indices {
      let own = rollouts[index]
      let rewards = TokenRewards(
        score: own.reward, coefficient: controller.coefficient, policy: own.oldLogProbabilities,
        reference: own.referenceLogProbabilities)
      let estimated = estimate(rewards: rewards.rewards, values: own.values)
      rollouts[index].returns = estimated.returns.map { Float($0) }
      advantages.append(estimated.advantages)
      moments = moments + Moments(estimated.advantages)
    }
    for (index, own) in advantages.enumerated() {
      rollouts[index].advantages = moments.whiten(own)
    }
    let kl = rollouts.reduce(0) { $0 + $1.kl } / Double(rollouts.count)
    controller.update(kl: kl, completions: rollouts.count)
    variables[Self.coefficientKey] = controller.coefficient
  }
}
