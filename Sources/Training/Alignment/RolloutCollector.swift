import DataParallel
import Datasets
import Generation
import Layers
import Monitoring
import Objectives
import Tensors

/// Samples the completions of an iteration and scores them, sharded over all workers of all ranks.
///
/// One worker samples a unit of completions (`rollouts.batch`), and one scores a micro-batch; the
/// results do not depend on which one.
final class RolloutCollector {
  private let options: AlignmentOptions
  private let promptSet: PromptSet
  private let order: ExampleOrder
  private let reward: RewardSource
  /// The rule that adapts PPO's KL coefficient.
  private let klRule: KLController.Rule
  /// Seconds of the last collection.
  private(set) var seconds = Seconds()
  /// The reward failures of the last completions.
  private(set) var failures: [RewardFailure] = []

  /// Seconds of sampling and of scoring.
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

  /// The number of prompts.
  var prompts: Int { promptSet.prompts.count }

  /// Returns the completions of the iteration that begins at the trainer's step, with their scores
  /// and advantages.
  ///
  /// Collective.
  func collect(_ trainer: Trainer) throws -> Rollouts {
    var clock = Stopwatch()
    let iteration = trainer.state.step / options.stepsPerIteration
    let promptIndices = (0..<options.rollouts.prompts).map {
      order(iteration * options.rollouts.prompts + $0).index
    }
    var result = try rollouts(
      promptIndices, samples: options.rollouts.samples, of: .policy, trainer)
    seconds.generation = clock.lap()
    try score(&result, trainer)
    computeAdvantages(of: &result, trainer)
    seconds.scoring = clock.lap()
    return result
  }

  /// The model that samples completions.
  enum Network {
    /// The trained model.
    case policy
    /// The model that the run began with.
    case reference
  }

  /// Returns one completion per prompt with its reward, for an evaluation.
  ///
  /// Collective.
  func scoredRollouts(of network: Network, _ trainer: Trainer) throws -> Rollouts {
    var result = try rollouts(
      Array(promptSet.prompts.indices), samples: 1, of: network, trainer)
    try score(&result, trainer)
    return result
  }

  /// Returns a rollout as text, for the log of rank 0.
  func example(_ rollout: Rollouts.Rollout?, _ trainer: Trainer) throws -> String? {
    guard let rollout else { return nil }
    let text = { (ids: [Int32]) in
      String(decoding: try trainer.plan.tokenizer.decode(ids), as: UTF8.self)
    }
    return "completion: \(try text(rollout.prompt)) → \(try text(rollout.completion.tokens))"
  }

  /// Samples completions of prompts by their indices.
  private func rollouts(
    _ promptIndices: [Int], samples: Int, of network: Network, _ trainer: Trainer
  ) throws -> Rollouts {
    let completions = try completions(
      of: promptIndices, samples: samples, from: network, trainer)
    let all = completions.enumerated().map { index, completion in
      let promptIndex = promptIndices[index / samples]
      return Rollouts.Rollout(
        promptIndex: promptIndex, prompt: promptSet.prompts[promptIndex].ids,
        completion: completion)
    }
    return Rollouts(all, rows: options.training.sequences, padding: promptSet.endOfTurn)
  }

  /// Samples `samples` completions per prompt.
  private func completions(
    of promptIndices: [Int], samples: Int, from network: Network, _ trainer: Trainer
  ) throws -> [Completion] {
    // A unit has whole prompts: the completions of a prompt share its KV cache.
    let perUnit = max(1, options.rollouts.batch / samples)
    let units = (promptIndices.count + perUnit - 1) / perUnit
    let results = try trainer.replicas.collected(count: units) {
      [promptSet, options, plan = trainer.plan, step = trainer.state.step] replica, workspace, unit
        -> [Float] in
      let first = unit * perUnit
      let own = promptIndices[first..<min(promptIndices.count, first + perUnit)]
      let request = CompletionRequest(
        prompts: own.map { promptSet.prompts[$0].ids }, samples: samples,
        maximum: options.rollouts.tokens,
        sampling: Sampling(temperature: Float(options.rollouts.temperature)),
        end: promptSet.endOfTurn,
        vocabulary: plan.tokenizer.vocabularySize, seed: UInt64(plan.options.seed), step: step,
        first: first * samples)
      let model = network == .policy ? replica.model : replica.reference
      return Generator(model, configuration: plan.model, in: workspace)
        .completions(request).flatMap(\.packed)
    }
    return results.flatMap(Completion.unpacked)
  }

  /// Fills in log-probabilities, values and rewards.
  private func score(_ rollouts: inout Rollouts, _ trainer: Trainer) throws {
    let hasValueHead = options.method == .ppo
    let kinds = hasValueHead ? 3 : 2
    let results = try trainer.replicas.collected(count: rollouts.microBatches) {
      [rollouts, options, reward] replica, _, index -> [Float] in
      let batch = rollouts.batch(index)
      let pass = ForwardPass(sequences: batch.sequences)
      let temperature = Float(options.rollouts.temperature)
      let hidden =
        hasValueHead
        ? replica.valueHeadModel.hidden(batch.inputs, pass)
        : replica.model.hidden(batch.inputs, pass)
      var numbers = [
        hidden.logProbabilities(
          head: replica.model.head.weight, targets: batch.targets, weights: batch.weights,
          temperature: temperature
        ).chosen.values,
        replica.reference.hidden(batch.inputs, pass).logProbabilities(
          head: replica.reference.head.weight, targets: batch.targets, weights: batch.weights,
          temperature: temperature
        ).chosen.values,
      ]
      if hasValueHead { numbers.append(replica.valueHeadModel.values(hidden).values) }
      return numbers.flatMap { rollouts.completionValues(index, in: $0).flatMap(\.self) }
        + reward.scores(rollouts.all[rollouts.range(of: index)], on: replica)
    }
    for (index, numbers) in results.enumerated() {
      var rest = numbers[...]
      for kind in 0..<kinds {
        for place in rollouts.range(of: index) {
          let own = Array(rest.prefix(rollouts.all[place].completion.tokens.count))
          rest = rest.dropFirst(own.count)
          switch kind {
          case 0: rollouts.all[place].oldLogProbabilities = own
          case 1: rollouts.all[place].referenceLogProbabilities = own
          default: rollouts.all[place].values = own
          }
        }
      }
      for (place, score) in zip(rollouts.range(of: index), rest) {
        rollouts.all[place].reward = Double(score)
      }
    }
    failures = try reward.fillRewards(of: &rollouts.all, prompts: promptSet, trainer)
  }

  /// Fills in advantages and returns, and adapts the KL coefficient.
  private func computeAdvantages(of rollouts: inout Rollouts, _ trainer: Trainer) {
    switch options.method {
    case .dpo: preconditionFailure("dpo has no rollouts")
    case .grpo:
      let advantage = GroupAdvantage(isScaled: options.policy.isScaled)
      let samples = options.rollouts.samples
      for first in stride(from: 0, to: rollouts.all.count, by: samples) {
        let group = first..<first + samples
        for (place, own) in zip(group, advantage(rollouts.all[group].map(\.reward))) {
          rollouts.all[place].advantages = rollouts.all[place].oldLogProbabilities.map { _ in own }
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
          score: own.reward, coefficient: controller.coefficient, policy: own.oldLogProbabilities,
          reference: own.referenceLogProbabilities)
        let estimated = estimate(rewards: rewards.rewards, values: own.values)
        rollouts.all[place].returns = estimated.returns.map { Float($0) }
        advantages.append(estimated.advantages)
        moments = moments + Moments(estimated.advantages)
      }
      for (place, own) in advantages.enumerated() {
        rollouts.all[place].advantages = moments.whiten(own)
      }
      let kl = rollouts.all.reduce(0) { $0 + $1.kl } / Double(rollouts.all.count)
      controller.update(kl: kl, completions: rollouts.all.count)
      trainer.state.remember(controller.coefficient, as: RolloutCollector.klKey)
    }
  }
}

extension Completion {
  /// The completion as numbers: its length, 1 if it has ended or else 0, its tokens, and their
  /// log-probabilities.
  ///
  /// Ids are below 2²⁴ and survive as 32-bit floats.
  var packed: [Float] {
    [Float(tokens.count), hasEnded ? 1 : 0] + tokens.map { Float($0) } + logProbabilities
  }

  /// Returns the completions of concatenated `packed` numbers.
  static func unpacked(_ numbers: [Float]) -> [Completion] {
    var completions: [Completion] = []
    var rest = numbers[...]
    while let length = rest.popFirst().map({ Int($0) }), let ended = rest.popFirst() {
      completions.append(
        Completion(
          tokens: rest.prefix(length).map { Int32($0) },
          logProbabilities: Array(rest.dropFirst(length).prefix(length)), hasEnded: ended == 1))
      rest = rest.dropFirst(2 * length)
    }
    return completions
  }
}
