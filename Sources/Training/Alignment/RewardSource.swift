import DataParallel
import Datasets
import Foundation
import Layers
import Tokenizers

/// What an answer is worth: a reward model's score, a rule's number, or both weighted.
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

  /// The rewards of all rollouts, whose `reward` is the model's score.
  ///
  /// Rank 0 asks the rule. Collective.
  func total(
    of rollouts: [Rollouts.Rollout], prompts: PromptSet, _ trainer: Trainer
  ) throws -> [Double] {
    let world = trainer.replicas.world
    var ruled = [Double](repeating: 0, count: rollouts.count)
    if let rule {
      ruled = try world.together {
        guard world.rank == 0 else { return [] }
        return try rule.rewards(
          rollouts.map { rollout in
            RewardRule.Case(
              prompt: prompts.prompts[rollout.prompt].messages.map(\.content)
                .joined(separator: "\n"),
              answer: try text(of: rollout.answer.tokens),
              reference: prompts.prompts[rollout.prompt].reference)
          })
      }
      ruled = try world.broadcast(ruled)
    }
    return zip(rollouts, ruled).map { rollout, ruled in
      // A reward that is no number teaches nothing; it is counted as none.
      let score = rollout.reward.isFinite ? rollout.reward : 0
      return options.weight * score + options.ruleWeight * ruled
        - (rollout.answer.hasEnded ? 0 : options.unendedPenalty)
    }
  }

  private func text(of tokens: [TokenID]) throws -> String {
    let content = tokens.last == endOfTurn ? tokens.dropLast() : tokens[...]
    return String(decoding: try tokenizer.decode(Array(content)), as: UTF8.self)
  }
}
