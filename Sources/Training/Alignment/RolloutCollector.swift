import DataParallel
import Datasets
import Generation
import Layers
import Monitoring
import Objectives
import Tensors

/// Writes the answers of an iteration and scores them, spread over all workers of all ranks.
///
/// A unit of answers (`rollouts.batch`) is written by one worker, and a micro-batch is scored by one:
/// the results do not depend on who does it.
final class RolloutCollector {
  private let options: AlignmentOptions
  private let promptSet: PromptSet
  private let order: ExampleOrder
  private let reward: RewardSource
  /// Moves the KL coefficient of PPO.
  private let klRule: KLController.Rule
  /// Seconds of the last collection.
  private(set) var seconds = Seconds()
  /// What could not be had of the last answers' rewards.
  private(set) var failures: [RewardFailure] = []

  /// Seconds by part.
  struct Seconds {
    var generation = 0.0
    var scoring = 0.0
  }

  static let klKey = "klCoefficient"

  init(_ options: AlignmentOptions, prompts: PromptSet, reward: RewardSource) {
    self.options = options
    promptSet = prompts
    order = ExampleOrder(count: prompts.prompts.count, seed: UInt64(options.training.seed))
    self.reward = reward
    klRule =
      options.policy.klTarget.map { .adaptive(target: $0, horizon: options.policy.klHorizon) }
      ?? .fixed
  }

  /// How many prompts there are.
  var prompts: Int { promptSet.prompts.count }

  /// The answers of the iteration that begins at the trainer's step, with everything learned from
  /// them.
  ///
  /// Collective.
  func collect(_ trainer: Trainer) throws -> Rollouts {
    var clock = Stopwatch()
    let iteration = trainer.state.step / options.period
    let numbers = (0..<options.rollouts.prompts).map {
      order(iteration * options.rollouts.prompts + $0).index
    }
    var result = try rollouts(
      numbers, samples: options.rollouts.samples, by: .trained, trainer)
    seconds.generation = clock.lap()
    try score(&result, trainer)
    learn(&result, trainer)
    seconds.scoring = clock.lap()
    return result
  }

  /// Whose answers.
  enum Author {
    /// The model as it is.
    case trained
    /// The model that the run began with.
    case start
  }

  /// One answer to every prompt with its reward, for an evaluation.
  ///
  /// Collective.
  func judged(_ trainer: Trainer, by author: Author) throws -> Rollouts {
    var result = try rollouts(Array(promptSet.prompts.indices), samples: 1, by: author, trainer)
    try score(&result, trainer)
    return result
  }

  /// A rollout as text, for people; on rank 0.
  func example(_ rollout: Rollouts.Rollout?, _ trainer: Trainer) throws -> String? {
    guard let rollout else { return nil }
    let text = { (ids: [Int32]) in
      String(decoding: try trainer.plan.tokenizer.decode(ids), as: UTF8.self)
    }
    return "answer: \(try text(rollout.question)) → \(try text(rollout.answer.tokens))"
  }

  /// Answers to prompts by their numbers, as rows.
  private func rollouts(
    _ numbers: [Int], samples: Int, by author: Author, _ trainer: Trainer
  ) throws -> Rollouts {
    let answers = try answers(to: numbers, samples: samples, by: author, trainer)
    let all = answers.enumerated().map { index, answer in
      let prompt = numbers[index / samples]
      return Rollouts.Rollout(
        prompt: prompt, question: promptSet.prompts[prompt].ids, answer: answer)
    }
    return Rollouts(all, rows: options.training.sequences, padding: promptSet.endOfTurn)
  }

  /// The policy's answers to prompts, several to each.
  private func answers(
    to numbers: [Int], samples: Int, by author: Author, _ trainer: Trainer
  ) throws -> [Answer] {
    // Whole prompts: their answers share what was read of them.
    let perUnit = max(1, options.rollouts.batch / samples)
    let units = (numbers.count + perUnit - 1) / perUnit
    let results = try trainer.replicas.collected(count: units) {
      [promptSet, options, plan = trainer.plan, step = trainer.state.step] replica, workspace, unit
        -> [Float] in
      let first = unit * perUnit
      let own = numbers[first..<min(numbers.count, first + perUnit)]
      let request = AnswerRequest(
        prompts: own.map { promptSet.prompts[$0].ids }, samples: samples,
        maximum: options.rollouts.tokens,
        sampling: Sampling(temperature: Float(options.rollouts.temperature)),
        end: promptSet.endOfTurn,
        vocabulary: plan.tokenizer.vocabularySize, seed: UInt64(plan.options.seed), step: step,
        first: first * samples)
      let model = author == .trained ? replica.model : replica.start
      return Generator(model, configuration: plan.model, in: workspace)
        .answers(request).flatMap(\.numbers)
    }
    return results.flatMap(Answer.all)
  }

  /// Fills in what networks say of the answers, and the rewards.
  private func score(_ rollouts: inout Rollouts, _ trainer: Trainer) throws {
    let isValued = options.method == .ppo
    let kinds = isValued ? 3 : 2
    let results = try trainer.replicas.collected(count: rollouts.microBatches) {
      [rollouts, options, reward] replica, _, index -> [Float] in
      let batch = rollouts.batch(index)
      let pass = ForwardPass(sequences: batch.sequences)
      let temperature = Float(options.rollouts.temperature)
      let hidden =
        isValued
        ? replica.valued.hidden(batch.inputs, pass) : replica.model.hidden(batch.inputs, pass)
      var numbers = [
        hidden.logProbabilities(
          head: replica.model.head.weight, targets: batch.targets, weights: batch.weights,
          temperature: temperature
        ).chosen.values,
        replica.start.hidden(batch.inputs, pass).logProbabilities(
          head: replica.start.head.weight, targets: batch.targets, weights: batch.weights,
          temperature: temperature
        ).chosen.values,
      ]
      if isValued { numbers.append(replica.valued.values(hidden).values) }
      return numbers.flatMap { rollouts.answers(index, in: $0).flatMap(\.self) }
        + reward.scores(rollouts.all[rollouts.range(of: index)], on: replica)
    }
    for (index, numbers) in results.enumerated() {
      var rest = numbers[...]
      for kind in 0..<kinds {
        for place in rollouts.range(of: index) {
          let own = Array(rest.prefix(rollouts.all[place].answer.tokens.count))
          rest = rest.dropFirst(own.count)
          switch kind {
          case 0: rollouts.all[place].old = own
          case 1: rollouts.all[place].reference = own
          default: rollouts.all[place].values = own
          }
        }
      }
      for (place, score) in zip(rollouts.range(of: index), rest) {
        rollouts.all[place].reward = Double(score)
      }
    }
    failures = try reward.judge(&rollouts.all, prompts: promptSet, trainer)
  }

  /// Fills in advantages and returns, and moves the KL coefficient.
  private func learn(_ rollouts: inout Rollouts, _ trainer: Trainer) {
    switch options.method {
    case .dpo: preconditionFailure("dpo has no rollouts")
    case .grpo:
      let advantage = GroupAdvantage(isScaled: options.policy.isScaled)
      let samples = options.rollouts.samples
      for first in stride(from: 0, to: rollouts.all.count, by: samples) {
        let group = first..<first + samples
        for (place, own) in zip(group, advantage(rollouts.all[group].map(\.reward))) {
          rollouts.all[place].advantages = rollouts.all[place].old.map { _ in own }
        }
      }
    case .ppo:
      var controller = KLController(
        coefficient: trainer.state.memory?[RolloutCollector.klKey] ?? options.policy.kl,
        rule: klRule)
      let estimate = GeneralizedAdvantage(
        discount: options.policy.discount, lambda: options.policy.lambda)
      var moments = Moments()
      var advantages: [[Double]] = []
      for place in rollouts.all.indices {
        let own = rollouts.all[place]
        let rewards = TokenRewards(
          score: own.reward, coefficient: controller.coefficient, policy: own.old,
          reference: own.reference)
        let learned = estimate(rewards: rewards.rewards, values: own.values)
        rollouts.all[place].returns = learned.returns.map { Float($0) }
        advantages.append(learned.advantages)
        moments = moments + Moments(learned.advantages)
      }
      for (place, own) in advantages.enumerated() {
        rollouts.all[place].advantages = moments.whiten(own)
      }
      let kl = rollouts.all.reduce(0) { $0 + $1.kl } / Double(rollouts.all.count)
      controller.update(kl: kl, answers: rollouts.all.count)
      trainer.state.remember(controller.coefficient, as: RolloutCollector.klKey)
    }
  }
}

extension Answer {
  /// The answer as numbers: its length, whether it has ended, its tokens, their log-probabilities.
  ///
  /// Ids are below 2²⁴ and survive as 32-bit floats.
  var numbers: [Float] {
    [Float(tokens.count), hasEnded ? 1 : 0] + tokens.map { Float($0) } + logProbabilities
  }

  /// Answers one after another, as `numbers` gives them.
  static func all(_ numbers: [Float]) -> [Answer] {
    var answers: [Answer] = []
    var rest = numbers[...]
    while let length = rest.popFirst().map({ Int($0) }), let ended = rest.popFirst() {
      answers.append(
        Answer(
          tokens: rest.prefix(length).map { Int32($0) },
          logProbabilities: Array(rest.dropFirst(length).prefix(length)), hasEnded: ended == 1))
      rest = rest.dropFirst(2 * length)
    }
    return answers
  }
}
