import DataParallel
import Datasets
import Generation
import Monitoring
import Tensors
import Training

/// Samples completions and scores them, sharded over all workers of all ranks.
///
/// One worker samples a unit of completions (`rollouts.batch`), and one scores a micro-batch; the
/// results do not depend on which one.
final class RolloutCollector {
  private let options: RolloutOptions
  private let stepsPerIteration: Int
  /// Rows of a micro-batch.
  private let rows: Int
  private let promptSet: PromptSet
  private let order: ExampleOrder
  private let reward: RewardSource
  /// Seconds of the last collection.
  private(set) var seconds = Seconds()
  /// The reward failures of the last completions.
  private(set) var failures: [RewardFailure] = []

  /// Seconds of sampling and of scoring.
  struct Seconds {
    var generation = 0.0
    var scoring = 0.0
  }

  /// The model that samples completions.
  enum Network {
    /// The trained model.
    case policy
    /// The model that the run began with.
    case reference
  }

  init(_ options: AlignmentOptions, prompts: PromptSet, reward: RewardSource) {
    self.options = options.rollouts
    stepsPerIteration = options.stepsPerIteration
    rows = options.training.sequences
    promptSet = prompts
    order = ExampleOrder(count: prompts.prompts.count, seed: UInt64(options.training.seed))
    self.reward = reward
  }

  /// The number of prompts in the set.
  var prompts: Int { promptSet.prompts.count }

  /// Returns the completions of the iteration that begins at the context's step, with their scores
  /// and the advantages by `method`.
  ///
  /// Collective.
  func collect(
    _ context: TrainingContext, by method: any PolicyMethod, _ variables: inout [String: Double]
  ) throws -> Rollouts {
    var clock = Stopwatch()
    let iteration = context.step / stepsPerIteration
    let promptIndices = (0..<options.prompts).map {
      order(iteration * options.prompts + $0).index
    }
    var result = try rollouts(promptIndices, samples: options.samples, of: .policy, context)
    seconds.generation = clock.lap()
    try score(&result, context)
    method.computeAdvantages(of: &result.all, variables: &variables)
    seconds.scoring = clock.lap()
    return result
  }

  /// Returns one completion per prompt with its reward, for an evaluation.
  ///
  /// Collective.
  func scoredRollouts(of network: Network, _ context: TrainingContext) throws -> Rollouts {
    var result = try rollouts(
      Array(promptSet.prompts.indices), samples: 1, of: network, context)
    try score(&result, context)
    return result
  }

  /// Returns a rollout as text for the log.
  func example(_ rollout: Rollouts.Rollout, _ context: TrainingContext) throws -> String {
    let text = { (ids: [Int32]) in
      String(decoding: try context.plan.tokenizer.decode(ids), as: UTF8.self)
    }
    return "completion: \(try text(rollout.prompt)) → \(try text(rollout.completion.tokens))"
  }

  private func rollouts(
    _ promptIndices: [Int], samples: Int, of network: Network, _ context: TrainingContext
  ) throws -> Rollouts {
    let completions = try completions(
      of: promptIndices, samples: samples, from: network, context)
    let all = completions.enumerated().map { index, completion in
      let promptIndex = promptIndices[index / samples]
      return Rollouts.Rollout(
        promptIndex: promptIndex, prompt: promptSet.prompts[promptIndex].ids,
        completion: completion)
    }
    return Rollouts(all, rows: rows, padding: promptSet.endOfTurn)
  }

  /// Samples `samples` completions per prompt.
  ///
  /// - Throws: `StopRequested` on every rank when one was asked to stop.
  private func completions(
    of promptIndices: [Int], samples: Int, from network: Network, _ context: TrainingContext
  ) throws -> [Completion] {
    // A unit has whole prompts: the completions of a prompt share its KV cache.
    let perUnit = max(1, options.batch / samples)
    let units = (promptIndices.count + perUnit - 1) / perUnit
    let progress = context.replicas.progress(
      of: "rollouts", promptIndices.count * samples, "completions")
    defer { progress?.finish() }
    let completions = try context.replicas.completions(units: units) {
      [promptSet, options, plan = context.plan, step = context.step] replica, workspace, unit in
      // The check below ends all ranks.
      if Signals.isStopRequested { return [] }
      let first = unit * perUnit
      let own = promptIndices[first..<min(promptIndices.count, first + perUnit)]
      let request = CompletionRequest(
        prompts: own.map { promptSet.prompts[$0].ids }, samples: samples,
        maximum: options.tokens, sampling: Sampling(temperature: Float(options.temperature)),
        ends: [promptSet.endOfTurn], vocabulary: plan.tokenizer.vocabularySize, seed: plan.seed,
        step: step, first: first * samples)
      let model = network == .policy ? replica.model : replica.reference
      return Generator(model, configuration: plan.model, in: workspace)
        .completions(request, reportingTo: progress)
    }
    try context.replicas.world.endIfStopRequested()
    return completions
  }

  /// The scores of a token of a completion.
  private struct TokenScore: BitwiseCopyable, Sendable {
    let logProbability: Float
    let referenceLogProbability: Float
    /// The result of the value head; 0 without one.
    let value: Float
  }

  /// Fills in log-probabilities, values and rewards.
  private func score(_ rollouts: inout Rollouts, _ context: TrainingContext) throws {
    let temperature = Float(options.temperature)
    let scores = try context.replicas.collected(count: rollouts.microBatches) {
      [rollouts] replica, _, index -> [TokenScore] in
      let batch = rollouts.batch(index)
      let pass = batch.pass()
      let hidden = replica.model.hidden(batch.inputs, pass)
      let policy = hidden.logProbabilities(
        head: replica.model.head.weight, targets: batch.targets, weights: batch.weights,
        temperature: temperature
      ).chosen.values
      let reference = replica.reference.hidden(batch.inputs, pass).logProbabilities(
        head: replica.reference.head.weight, targets: batch.targets, weights: batch.weights,
        temperature: temperature
      ).chosen.values
      let values = replica.valueHeadModel?.values(hidden).values
      return rollouts.positions(index).joined().map {
        TokenScore(
          logProbability: policy[$0], referenceLogProbability: reference[$0],
          value: values?[$0] ?? 0)
      }
    }
    let rewards = try context.replicas.collected(count: rollouts.microBatches) {
      [rollouts, reward] replica, _, index in
      reward.scores(rollouts.all[rollouts.range(of: index)], on: replica)
    }
    var rest = scores.flatMap(\.self)[...]
    for place in rollouts.all.indices {
      let own = rest.prefix(rollouts.all[place].completion.tokens.count)
      rest = rest.dropFirst(own.count)
      rollouts.all[place].oldLogProbabilities = own.map(\.logProbability)
      rollouts.all[place].referenceLogProbabilities = own.map(\.referenceLogProbability)
      rollouts.all[place].values = own.map(\.value)
    }
    for (place, score) in zip(rollouts.all.indices, rewards.joined()) {
      rollouts.all[place].reward = Double(score)
    }
    failures = try reward.fillRewards(of: &rollouts.all, prompts: promptSet, context)
  }
}
