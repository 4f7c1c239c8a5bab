import DataParallel
import Datasets
import Layers
import Tokenizers

/// What an answer is worth: a reward model's score, a rule's number, or both weighted.
///
/// A part that cannot be had, or is no finite number, counts as 0.
struct RewardSource: Sendable {
  private let options: RewardSourceOptions
  private let tokenizer: any Tokenizer
  private let endOfTurn: TokenID
  private let rule: RewardRule?

  init(_ options: RewardSourceOptions, tokenizer: any Tokenizer, endOfTurn: TokenID) {
    self.options = options
    self.tokenizer = tokenizer
    self.endOfTurn = endOfTurn
    rule = RewardRule(options)
  }

  /// The reward model's scores of `rollouts`, on a worker's thread; none without a model.
  ///
  /// The model has seen whole answers only: one that was cut off is given its end.
  func scores(_ rollouts: ArraySlice<Rollouts.Rollout>, on replica: Replica) -> [Float] {
    guard let rewards = replica.rewards else { return [] }
    let texts = rollouts.map { rollout in
      rollout.question + rollout.answer.tokens + (rollout.answer.hasEnded ? [] : [endOfTurn])
    }
    let length = texts.map(\.count).max() ?? 0
    let ids = texts.flatMap { $0 + Array(repeating: endOfTurn, count: length - $0.count) }
    return rewards(
      ids, lengths: texts.map { Int32($0.count) }, ForwardPass(sequences: texts.count)
    ).values
  }

  /// Fills in the rewards of `rollouts`, whose `reward` is the model's score.
  ///
  /// Rank 0 asks the rule. Collective.
  ///
  /// - Returns: What could not be had, equal on every rank.
  func judge(
    _ rollouts: inout [Rollouts.Rollout], prompts: PromptSet, _ trainer: Trainer
  ) throws -> [RewardFailure] {
    var failures: [RewardFailure] = []
    let unscored = rollouts.count { !$0.reward.isFinite }
    if unscored > 0 {
      failures.append(
        RewardFailure(
          source: "model", answers: unscored, of: rollouts.count,
          cause: "its scores are no finite numbers; train it anew"))
    }
    let (ruled, cause) = try numbers(of: rollouts, prompts: prompts, trainer)
    let unruled = ruled.count(where: \.isNaN)
    if unruled > 0 {
      failures.append(
        RewardFailure(source: "command", answers: unruled, of: rollouts.count, cause: cause))
    }
    for (place, ruled) in zip(rollouts.indices, ruled) {
      let score = rollouts[place].reward
      rollouts[place].lacksReward = !score.isFinite || ruled.isNaN
      rollouts[place].reward =
        options.weight * (score.isFinite ? score : 0)
        + options.ruleWeight * (ruled.isNaN ? 0 : ruled)
        - (rollouts[place].answer.hasEnded ? 0 : options.unendedPenalty)
    }
    return failures
  }

  /// What the rule says of each answer, NaN for nothing, and why that is so.
  private func numbers(
    of rollouts: [Rollouts.Rollout], prompts: PromptSet, _ trainer: Trainer
  ) throws -> (numbers: [Double], cause: String) {
    guard let rule else { return (rollouts.map { _ in 0 }, "") }
    let world = trainer.replicas.world
    let (numbers, failure) = try world.together {
      guard world.rank == 0 else { return ([Double](), String?.none) }
      return try rule.rewards(
        rollouts.map { rollout in
          RewardRule.Case(
            prompt: prompts.prompts[rollout.prompt].messages.map(\.content)
              .joined(separator: "\n"),
            answer: try text(of: rollout.answer.tokens),
            reference: prompts.prompts[rollout.prompt].reference)
        })
    }
    let cause = try world.broadcast(Array((failure ?? "").utf8))
    return (try world.broadcast(numbers), String(decoding: cause, as: UTF8.self))
  }

  private func text(of tokens: [TokenID]) throws -> String {
    let content = tokens.last == endOfTurn ? tokens.dropLast() : tokens[...]
    return String(decoding: try tokenizer.decode(Array(content)), as: UTF8.self)
  }
}

/// A part of some answers' rewards that could not be had, and counts as 0.
struct RewardFailure: Sendable, Equatable, CustomStringConvertible {
  /// Who was asked: `model` or `command`.
  let source: String
  /// How many answers.
  let answers: Int
  /// Of how many.
  let of: Int
  /// Why, the first time.
  let cause: String

  /// One sentence; its words before the numbers are the same whenever the same source fails.
  var description: String {
    "the reward \(source) failed for \(answers) of \(of) answers, which count as 0: \(cause)"
  }
}
