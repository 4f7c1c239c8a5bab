import DataParallel
import Datasets
import Layers
import Tokenizers
import Training

/// The reward of a completion: the weighted sum of a reward model's score and a rule's number.
///
/// A part that fails or is not finite counts as 0.
struct RewardSource: Sendable {
  private let options: RewardSourceOptions
  private let tokenizer: any Tokenizer
  private let endOfTurn: TokenID
  private let afterLastTurn: [TokenID]
  private let rule: RewardRule?

  init(_ options: RewardSourceOptions, tokenizer: any Tokenizer, prompts: PromptSet) {
    self.options = options
    self.tokenizer = tokenizer
    (endOfTurn, afterLastTurn) = (prompts.endOfTurn, prompts.afterLastTurn)
    rule = RewardRule(options)
  }

  /// Returns the reward model's scores of `rollouts`, on a worker's thread; empty without a model.
  ///
  /// The model was trained on whole conversations: a truncated completion gets an end-of-turn token,
  /// and every one the text that the chat template writes after it.
  func scores(_ rollouts: ArraySlice<Rollouts.Rollout>, on replica: Replica) -> [Float] {
    guard let rewardModel = replica.rewardModel else { return [] }
    let texts = rollouts.map { rollout in
      rollout.prompt + rollout.completion.tokens
        + (rollout.completion.hasEnded ? [] : [endOfTurn]) + afterLastTurn
    }
    replica.batch.begin(texts: texts, padding: endOfTurn)
    return rewardModel.scores(replica.batch, replica.batch.pass()).values
  }

  /// Replaces the `reward` of every rollout, which is the model's score, by the total reward.
  ///
  /// Rank 0 applies the rule. Collective.
  ///
  /// - Returns: The failures, equal on every rank.
  /// - Throws: `RewardRuleFailure`, with which every rank ends, when no completion has a number, and
  ///   `StopRequested` on every rank, soon after one was asked to stop.
  func fillRewards(
    of rollouts: inout [Rollouts.Rollout], prompts: PromptSet, _ context: TrainingContext
  ) throws -> [RewardFailure] {
    var failures: [RewardFailure] = []
    let unscored = rollouts.count { !$0.reward.isFinite }
    if unscored > 0 {
      failures.append(
        RewardFailure(
          source: "model", completions: unscored, total: rollouts.count,
          cause: "its scores are not finite; train it again"))
    }
    let (ruleNumbers, cause) = try numbers(of: rollouts, prompts: prompts, context)
    let withoutNumber = ruleNumbers.count(where: \.isNaN)
    if withoutNumber == rollouts.count && withoutNumber > 0 {
      let world = context.replicas.world
      throw RankFailure(
        rank: 0,
        error: world.rank == 0
          ? RewardRuleFailure(source: rule?.name ?? "rule", cause: cause) : nil)
    }
    if withoutNumber > 0 {
      failures.append(
        RewardFailure(
          source: rule?.name ?? "rule", completions: withoutNumber, total: rollouts.count,
          cause: cause))
    }
    for (place, number) in zip(rollouts.indices, ruleNumbers) {
      let score = rollouts[place].reward
      rollouts[place].lacksReward = !score.isFinite || number.isNaN
      rollouts[place].reward =
        options.weight * (score.isFinite ? score : 0)
        + options.ruleWeight * (number.isNaN ? 0 : number)
        - (rollouts[place].completion.hasEnded ? 0 : options.unendedPenalty)
    }
    return failures
  }

  /// Returns the rule's number for each completion, NaN for a failure, and the cause of the
  /// failures.
  private func numbers(
    of rollouts: [Rollouts.Rollout], prompts: PromptSet, _ context: TrainingContext
  ) throws -> (numbers: [Double], cause: String) {
    guard let rule else { return (rollouts.map { _ in 0 }, "") }
    let world = context.replicas.world
    let result = try world.onRankZero { isStopRequested in
      try rule.rewards(
        rollouts.map { rollout in
          RewardRule.Case(
            prompt: prompts.prompts[rollout.promptIndex].messages.map(\.content)
              .joined(separator: "\n"),
            answer: try text(of: rollout.completion.tokens),
            reference: prompts.prompts[rollout.promptIndex].reference)
        }, isStopped: isStopRequested)
    }
    let cause = try world.broadcast(Array((result?.failure ?? "").utf8))
    return (
      try world.broadcast(result?.numbers ?? []), String(decoding: cause, as: UTF8.self)
    )
  }

  private func text(of tokens: [TokenID]) throws -> String {
    let content = tokens.last == endOfTurn ? tokens.dropLast() : tokens[...]
    return String(decoding: try tokenizer.decode(Array(content)), as: UTF8.self)
  }
}

/// The failure of the reward rule or command for all completions of a rollout: there is nothing to
/// learn from.
struct RewardRuleFailure: Error, Equatable, CustomStringConvertible {
  /// The part that failed: `rule` or `command`.
  let source: String
  /// The cause of the first failure.
  let cause: String

  /// One sentence: what, why, what to do.
  var description: String {
    "the reward \(source) failed for every completion: \(cause); correct reward.\(source), and start "
      + "the same command again to resume from the last checkpoint"
  }
}

/// The failure of a part of the reward for some completions, where it counts as 0.
struct RewardFailure: Sendable, Equatable, CustomStringConvertible {
  /// The part that failed: `model`, `rule` or `command`.
  let source: String
  /// The number of completions without it.
  let completions: Int
  /// The number of all completions.
  let total: Int
  /// The cause of the first failure.
  let cause: String

  /// One sentence; its words before the numbers are the same whenever the same source fails.
  var description: String {
    "the reward \(source) failed for \(completions) of \(total) completions, which count as 0: "
      + cause
  }
}
