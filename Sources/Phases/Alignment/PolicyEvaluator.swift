import DataParallel
import Datasets
import Generation
import Monitoring
import Training

/// Evaluates a policy by its completions of held-out prompts.
///
/// The reference model completes the same prompts with the same random numbers, once: at the first
/// evaluation of the attempt. The win rate is the fraction of prompts on which the policy gets the
/// higher reward; equal rewards count one half.
final class PolicyEvaluator: Evaluator {
  private let collector: RolloutCollector
  /// The rewards of the reference model's completions, computed once.
  private var referenceRewards: [Double]?

  init(_ collector: RolloutCollector) {
    self.collector = collector
  }

  let evaluatesBeforeTraining = true

  func evaluate(_ context: TrainingContext) throws -> EvaluationResult {
    let baseline =
      try referenceRewards ?? collector.scoredRollouts(of: .reference, context).all.map(\.reward)
    referenceRewards = baseline
    let rollouts = try collector.scoredRollouts(of: .policy, context).all
    let count = Double(rollouts.count)
    let mean = { (value: (Rollouts.Rollout) -> Double) in
      rollouts.reduce(0) { $0 + value($1) } / count
    }
    let reward = mean(\.reward)
    let wins = zip(rollouts, baseline).reduce(0.0) {
      $0 + ($1.0.reward > $1.1 ? 1 : $1.0.reward == $1.1 ? 0.5 : 0)
    }
    var figures = [
      Figure("reward", reward), Figure("rewardBefore", baseline.reduce(0, +) / count),
    ]
    figures += Figure.fraction("winRate", wins, of: rollouts.count)
    figures += [
      Figure("sequenceKL", mean(\.kl)),
      Figure("length", mean { Double($0.completion.tokens.count) }),
      Figure("ended", mean { $0.completion.hasEnded ? 1 : 0 }),
      Figure("rewardFailures", mean { $0.lacksReward ? 1 : 0 }, isDetail: true),
    ]
    let notes =
      try rollouts.prefix(1).map { try collector.example($0, context) }
      + collector.failures.map(\.description)
    // Lower is better for every evaluator: the loss of a policy is its negative reward.
    var result = EvaluationResult(
      loss: -reward, tokens: rollouts.count, figures: figures,
      note: notes.joined(separator: "; "))
    result.lossName = nil
    return result
  }
}
