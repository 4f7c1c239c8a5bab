import DataParallel
import Datasets
import Generation
import Monitoring
import Statistics

/// Measures a policy by its answers to held-out prompts.
///
/// The model that the run began with answers the same prompts with the same random numbers: the share of
/// prompts on which the policy is rewarded more is its win rate.
final class PolicyEvaluator: Evaluator {
  private let collector: RolloutCollector
  private let options: AlignmentOptions
  /// Rewards of the answers of the model that the run began with; measured once.
  private var before: [Double]?

  init(_ options: AlignmentOptions, prompts: PromptSet, reward: RewardSource) {
    self.options = options
    collector = RolloutCollector(options, prompts: prompts, reward: reward)
  }

  let measuresStart = true

  func evaluate(_ trainer: Trainer) throws -> (report: EvaluationReport, note: String?) {
    var clock = Stopwatch()
    let start = try before ?? collector.judged(trainer, by: .start).all.map(\.reward)
    before = start
    let rollouts = try collector.judged(trainer, by: .trained).all
    let count = Double(rollouts.count)
    let mean = { (value: (Rollouts.Rollout) -> Double) in
      rollouts.reduce(0) { $0 + value($1) } / count
    }
    let reward = mean(\.reward)
    let wins = zip(rollouts, start).reduce(0.0) {
      $0 + ($1.0.reward > $1.1 ? 1 : $1.0.reward == $1.1 ? 0.5 : 0)
    }
    let interval = Proportion(wins, of: rollouts.count).wilsonInterval()
    let figures = [
      Figure("reward", reward), Figure("rewardBefore", start.reduce(0, +) / count),
      Figure("winRate", wins / count), Figure("winRateLow", interval.lowerBound, isDetail: true),
      Figure("winRateHigh", interval.upperBound, isDetail: true), Figure("sequenceKL", mean(\.kl)),
      Figure("length", mean { Double($0.answer.tokens.count) }),
      Figure("ended", mean { $0.answer.hasEnded ? 1 : 0 }),
      Figure("rewardFailures", mean { $0.lacksReward ? 1 : 0 }, isDetail: true),
    ]
    // Lower is better everywhere: the loss of a policy is the reward that it does not get.
    let report = EvaluationReport(
      step: trainer.state.step, validationLoss: -reward, tokens: rollouts.count,
      seconds: clock.lap(), figures: figures, isBest: trainer.isBest(-reward))
    let notes =
      [try collector.example(rollouts.first, trainer)].compactMap(\.self)
      + collector.failures.map(\.description)
    return (report, notes.joined(separator: "; "))
  }
}
