import DataParallel
import Datasets
import Layers
import Monitoring
import Objectives
import RandomNumbers
import Tensors

/// The objective of PPO and GRPO.
///
/// Before the first step of an iteration the ranks sample and score completions
/// (`RolloutCollector`); the steps of the iteration train on them for `epochs` passes.
/// Micro-batches keep their rows; their order is shuffled in every epoch except the first.
final class PolicyObjective: Objective, @unchecked Sendable {
  // Sendable: the rollouts change only between steps, on the thread that drives the trainer.

  private let options: AlignmentOptions
  private let collector: RolloutCollector
  private let policy: ClippedPolicy
  private let value: ClippedValue
  /// Optimizer steps per rollout iteration.
  let stepsPerIteration: Int
  private var rollouts: Rollouts?
  /// Seconds of sampling and scoring before the current step, and before all steps.
  private var seconds = RolloutCollector.Seconds()
  private var allSeconds = RolloutCollector.Seconds()
  /// The first failure of a reward.
  private var firstFailure: RewardFailure?

  init(_ options: AlignmentOptions, collector: RolloutCollector) {
    self.options = options
    self.collector = collector
    stepsPerIteration = options.stepsPerIteration
    policy = ClippedPolicy(
      clip: options.policy.clip,
      referenceKL: options.method == .grpo ? options.policy.kl : 0,
      entropyBonus: options.policy.entropy)
    value = ClippedValue(clip: options.policy.valueClip, coefficient: options.policy.valueWeight)
  }

  let hasMeasures = true

  func epochs(steps: Int) -> Double {
    Double(steps / stepsPerIteration * options.rollouts.prompts) / Double(collector.prompts)
  }

  /// Samples and scores the completions of an iteration, before its first step.
  ///
  /// Collective.
  func prepare(_ trainer: Trainer) throws {
    // A run resumes only where an iteration begins, so the samples need not be saved.
    seconds = RolloutCollector.Seconds()
    guard trainer.state.step % stepsPerIteration == 0 else { return }
    let rollouts = try collector.collect(trainer)
    self.rollouts = rollouts
    seconds = collector.seconds
    allSeconds.generation += seconds.generation
    allSeconds.scoring += seconds.scoring
    firstFailure = firstFailure ?? collector.failures.first
    let failed = rollouts.all.count(where: \.lacksReward)
    if failed > 0 {
      trainer.state.remember(
        Double(failed) + (trainer.state.memory?[PolicyObjective.failuresKey] ?? 0),
        as: PolicyObjective.failuresKey)
    }
  }

  static let failuresKey = "rewardFailures"

  var figures: [Figure] {
    [
      Figure("secondsGeneration", seconds.generation, isDetail: true),
      Figure("secondsScoring", seconds.scoring, isDetail: true),
    ]
  }

  func warnings(in measures: Measures) -> [String] {
    HealthCheck.warnings(in: measures) + collector.failures.map(\.description)
  }

  /// The report at the end of the run: the failed rewards, and the fractions of the time.
  func conclusions(_ trainer: Trainer) -> [EventReport] {
    var reports: [EventReport] = []
    if let failed = trainer.state.memory?[PolicyObjective.failuresKey] {
      let completions = trainer.state.step / stepsPerIteration * options.rollouts.count
      reports.append(
        EventReport(
          .warning,
          "\(Int(failed)) of the \(completions) completions of this run lack a part of their reward"
            + (firstFailure.map { ": the reward \($0.source) failed, first because \($0.cause)" }
              ?? "")))
    }
    let all = allSeconds.generation + allSeconds.scoring + trainer.secondsOfSteps
    if all > 0 {
      let (generation, scoring) = (
        Int((allSeconds.generation / all * 100).rounded()),
        Int((allSeconds.scoring / all * 100).rounded())
      )
      reports.append(
        EventReport(
          .note,
          "time: generation \(generation) %, scoring \(scoring) %, training "
            + "\(100 - generation - scoring) %"))
    }
    return reports
  }

  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    guard let rollouts else { preconditionFailure("a step before its completions were sampled") }
    let index = index(of: microBatch, in: rollouts)
    let batch = rollouts.batch(index)
    let loss = loss(
      of: batch, index, rollouts, on: replica,
      ForwardPass(sequences: batch.sequences, recomputation: microBatch.recomputation))
    return MicroBatchLoss(loss: loss, positions: batch.positions)
  }

  /// Returns the index in the rollouts of a micro-batch of a step.
  private func index(of microBatch: MicroBatch, in rollouts: Rollouts) -> Int {
    let perStep = options.training.microBatches
    let sample = microBatch.step % stepsPerIteration * perStep + microBatch.index
    let (epoch, index) = sample.quotientAndRemainder(dividingBy: rollouts.microBatches)
    // The first epoch uses the order in which the rows were scored.
    if epoch == 0 { return index }
    let order = ExampleOrder(
      count: rollouts.microBatches,
      seed: microBatch.seed &+ UInt64(microBatch.step / stepsPerIteration))
    return order(sample).index
  }

  private func loss(
    of batch: Batch, _ index: Int, _ rollouts: Rollouts, on replica: Replica, _ pass: ForwardPass
  ) -> Loss {
    let hasValueHead = options.method == .ppo
    let hidden =
      hasValueHead
      ? replica.valueHeadModel.hidden(batch.inputs, pass)
      : replica.model.hidden(batch.inputs, pass)
    let tokens = hidden.logProbabilities(
      head: replica.model.head.weight, targets: batch.targets, weights: batch.weights,
      temperature: Float(options.rollouts.temperature))
    let oldLogProbabilities = rollouts.valuesByPosition(index, \.oldLogProbabilities)
    let weights =
      hasValueHead
      ? batch.weights
      : rollouts.valuesByPosition(index) { rollout in
        let length = rollout.oldLogProbabilities.count
        return rollout.oldLogProbabilities.map { _ in
          TokenWeights.completion.weight(length: length)
        }
      }
    var loss = policy(
      tokens, oldLogProbabilities: oldLogProbabilities,
      advantages: rollouts.valuesByPosition(index, \.advantages),
      reference: rollouts.valuesByPosition(index, \.referenceLogProbabilities), weights: weights)
    if hasValueHead {
      loss =
        loss
        + value(
          replica.valueHeadModel.values(hidden),
          oldValues: rollouts.valuesByPosition(index, \.values),
          returns: rollouts.valuesByPosition(index, \.returns), weights: weights)
    }
    return loss.adding(completionMeasures(rollouts.all[rollouts.range(of: index)]))
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
