import DataParallel
import Datasets
import Layers
import Monitoring
import Objectives
import RandomNumbers
import Tensors
import Training

/// The objective of the methods that learn from rewards.
///
/// Before the first step of an iteration the ranks sample and score completions
/// (`RolloutCollector`); the steps of the iteration train on them for `policy.epochs` passes.
/// Micro-batches keep their rollouts; their order is shuffled in every epoch except the first.
final class PolicyObjective: Objective, @unchecked Sendable {
  // Sendable: the rollouts change only between steps, on the thread that drives the trainer.

  /// The loss of a policy is a surrogate of its expected reward (PPO, equation 7).
  let lossName = "surrogate"
  private let method: any PolicyMethod
  private let collector: RolloutCollector
  private let options: AlignmentOptions
  private let policy: ClippedPolicy
  private let value: ClippedValue
  private var rollouts: Rollouts?
  /// Seconds of sampling and scoring before all steps.
  private var seconds = RolloutCollector.Seconds()
  /// Tokens sampled before all steps.
  private var tokensGenerated = 0
  /// The first failure of a reward.
  private var firstFailure: RewardFailure?

  init(_ method: any PolicyMethod, _ options: AlignmentOptions, collector: RolloutCollector) {
    self.method = method
    self.collector = collector
    self.options = options
    policy = ClippedPolicy(
      clip: options.policy.clip, referenceKL: method.lossKL, entropyBonus: options.policy.entropy)
    value = ClippedValue(clip: options.policy.valueClip, coefficient: options.policy.valueWeight)
  }

  let hasMeasures = true

  private var stepsPerIteration: Int { options.stepsPerIteration }

  func epochs(steps: Int) -> Double {
    Double(steps / stepsPerIteration * options.rollouts.prompts) / Double(collector.prompts)
  }

  /// Samples and scores the completions of an iteration, before its first step.
  ///
  /// Collective.
  func prepare(_ context: TrainingContext) throws -> StepPreparation {
    var own = RolloutCollector.Seconds()
    var generated = 0
    var variables: [String: Double] = [:]
    // A run resumes only where an iteration begins, so the samples need not be saved.
    if context.step % stepsPerIteration == 0 {
      variables = context.variables
      let rollouts = try collector.collect(context, by: method, &variables)
      self.rollouts = rollouts
      own = collector.seconds
      seconds.generation += own.generation
      seconds.scoring += own.scoring
      generated = rollouts.all.reduce(0) { $0 + $1.completion.tokens.count }
      tokensGenerated += generated
      firstFailure = firstFailure ?? collector.failures.first
      let failed = rollouts.all.count(where: \.lacksReward)
      if failed > 0 { variables[Self.failuresKey, default: 0] += Double(failed) }
    }
    return StepPreparation(
      figures: [
        Figure("tokensGenerated", Double(generated), isDetail: true),
        Figure("secondsGeneration", own.generation, isDetail: true),
        Figure("secondsScoring", own.scoring, isDetail: true),
      ], warnings: collector.failures.map(\.description), variables: variables)
  }

  private static let failuresKey = "rewardFailures"

  func warnings(in measures: Measures) -> [String] { HealthCheck.warnings(in: measures) }

  func divergence(in measures: Measures, vocabulary: Int) -> String? {
    options.endsOnCollapse ? measures.collapse(vocabulary: vocabulary) : nil
  }

  /// Returns the report at the end of the run: the failed rewards, and the fractions of the time.
  func conclusions(_ context: TrainingContext) -> [EventReport] {
    var reports: [EventReport] = []
    if let failed = context.variables[Self.failuresKey] {
      let completions = context.step / stepsPerIteration * options.rollouts.count
      reports.append(
        EventReport(
          .warning,
          "\(Int(failed)) of the \(completions) completions of this run lack a part of their reward"
            + (firstFailure.map { ": the reward \($0.source) failed, first because \($0.cause)" }
              ?? "")))
    }
    let all = seconds.generation + seconds.scoring + context.secondsOfSteps
    if all > 0 {
      let (generation, scoring) = (
        Int((seconds.generation / all * 100).rounded()),
        Int((seconds.scoring / all * 100).rounded())
      )
      reports.append(
        EventReport(
          .note,
          "time: generation \(generation) % "
            + "(\(Int(Double(tokensGenerated) / max(1e-9, seconds.generation))) tokens/s), "
            + "scoring \(scoring) %, training \(100 - generation - scoring) %"))
    }
    return reports
  }

  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    guard let rollouts else { preconditionFailure("a step before its completions were sampled") }
    let index = index(of: microBatch, in: rollouts)
    let batch = rollouts.batch(index)
    let pass = batch.pass(recomputation: microBatch.recomputation)
    let hidden = replica.model.hidden(batch.inputs, pass)
    let tokens = hidden.logProbabilities(
      head: replica.model.head.weight, targets: batch.targets, weights: batch.weights,
      temperature: Float(options.rollouts.temperature))
    let weights = rollouts.valuesByPosition(index) { [weights = method.tokenWeights] rollout in
      let length = rollout.completion.tokens.count
      return rollout.completion.tokens.map { _ in weights.weight(length: length) }
    }
    var loss = policy(
      tokens, oldLogProbabilities: rollouts.valuesByPosition(index, \.oldLogProbabilities),
      advantages: rollouts.valuesByPosition(index, \.advantages),
      reference: rollouts.valuesByPosition(index, \.referenceLogProbabilities), weights: weights)
    if let model = replica.valueHeadModel {
      loss =
        loss
        + value(
          model.values(hidden), oldValues: rollouts.valuesByPosition(index, \.values),
          returns: rollouts.valuesByPosition(index, \.returns), weights: weights)
    }
    return MicroBatchLoss(
      loss: loss.adding(completionMeasures(rollouts.all[rollouts.range(of: index)])),
      tokens: batch.tokens)
  }

  /// Returns the index in the rollouts of a micro-batch of a step.
  private func index(of microBatch: MicroBatch, in rollouts: Rollouts) -> Int {
    let sample =
      microBatch.step % stepsPerIteration * options.training.microBatches + microBatch.index
    let (epoch, index) = sample.quotientAndRemainder(dividingBy: rollouts.microBatches)
    // The first epoch uses the order in which the rows were scored.
    if epoch == 0 { return index }
    let order = ExampleOrder(
      count: rollouts.microBatches,
      seed: microBatch.seed &+ UInt64(microBatch.step / stepsPerIteration))
    return order(sample).index
  }

  /// Returns the measures of whole completions.
  private func completionMeasures(_ rollouts: ArraySlice<Rollouts.Rollout>) -> Measures {
    var measures = Measures()
    for rollout in rollouts {
      measures.addCompletion(
        reward: rollout.reward, length: rollout.completion.tokens.count,
        ended: rollout.completion.hasEnded)
      measures.add(rollout.kl, to: .sequenceKL)
      measures.add(rollout.samplingDifference, to: .samplingDifference)
      measures.add(rollout.lacksReward ? 1 : 0, to: .rewardFailures)
    }
    return measures
  }
}
