import DataParallel
import Datasets
import Layers
import Monitoring
import Objectives
import RandomNumbers
import Tensors

/// The policy writes what is rewarded (PPO, GRPO).
///
/// Before the first step of an iteration the ranks write and score answers (`RolloutCollector`); the
/// steps of the iteration learn from them, `epochs` times. Micro-batches keep their rows; their order
/// is drawn anew in every epoch but the first.
final class PolicyObjective: Objective, @unchecked Sendable {
  // Sendable: the rollouts change between steps alone, on the thread that drives the trainer.

  private let options: AlignmentOptions
  private let collector: RolloutCollector
  private let policy: ClippedPolicy
  private let value: ClippedValue
  /// Optimizer steps of an iteration.
  let period: Int
  private var rollouts: Rollouts?
  /// What went before the step, and before all steps.
  private var seconds = RolloutCollector.Seconds()
  private var allSeconds = RolloutCollector.Seconds()
  /// The first part of a reward that could not be had.
  private var firstFailure: RewardFailure?

  init(_ options: AlignmentOptions, collector: RolloutCollector) {
    self.options = options
    self.collector = collector
    period = options.period
    policy = ClippedPolicy(
      clip: options.policy.clip,
      referenceKL: options.method == .grpo ? options.policy.kl : 0,
      entropyBonus: options.policy.entropy)
    value = ClippedValue(clip: options.policy.valueClip, coefficient: options.policy.valueWeight)
  }

  let measures = true

  func epochs(steps: Int) -> Double {
    Double(steps / period * options.rollouts.prompts) / Double(collector.prompts)
  }

  /// Writes and scores the answers of an iteration, before its first step.
  ///
  /// Collective.
  func prepare(_ trainer: Trainer) throws {
    // A run resumes where an iteration begins: what was sampled is sampled again.
    seconds = RolloutCollector.Seconds()
    guard trainer.state.step % period == 0 else { return }
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

  func findings(in measures: Measures) -> [String] {
    HealthCheck.findings(in: measures) + collector.failures.map(\.description)
  }

  /// What is to be said at the end: which rewards could not be had, and where the time went.
  func conclusions(_ trainer: Trainer) -> [EventReport] {
    var reports: [EventReport] = []
    if let failed = trainer.state.memory?[PolicyObjective.failuresKey] {
      let answers = trainer.state.step / period * options.rollouts.count
      reports.append(
        EventReport(
          .warning,
          "\(Int(failed)) of the \(answers) answers of this run lack their reward or a part of it"
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
    guard let rollouts else { preconditionFailure("a step before its answers were written") }
    let index = place(of: microBatch, in: rollouts)
    let batch = rollouts.batch(index)
    let loss = loss(
      of: batch, index, rollouts, on: replica,
      ForwardPass(sequences: batch.sequences, recomputation: microBatch.recomputation))
    return MicroBatchLoss(loss: loss, positions: batch.positions)
  }

  /// Which micro-batch of the rollouts a micro-batch of a step is.
  private func place(of microBatch: MicroBatch, in rollouts: Rollouts) -> Int {
    let perStep = options.training.microBatches
    let sample = microBatch.step % period * perStep + microBatch.index
    let (epoch, index) = sample.quotientAndRemainder(dividingBy: rollouts.microBatches)
    // The first updates see the rows in the order in which they were scored.
    if epoch == 0 { return index }
    let order = ExampleOrder(
      count: rollouts.microBatches,
      seed: microBatch.seed &+ UInt64(microBatch.step / period))
    return order(sample).index
  }

  private func loss(
    of batch: Batch, _ index: Int, _ rollouts: Rollouts, on replica: Replica, _ pass: ForwardPass
  ) -> Loss {
    let isValued = options.method == .ppo
    let hidden =
      isValued
      ? replica.valued.hidden(batch.inputs, pass)
      : replica.model.hidden(batch.inputs, pass)
    let tokens = hidden.logProbabilities(
      head: replica.model.head.weight, targets: batch.targets, weights: batch.weights,
      temperature: Float(options.rollouts.temperature))
    let old = rollouts.positions(index, \.old)
    let weights =
      isValued
      ? batch.weights
      : rollouts.positions(index) { rollout in
        rollout.old.map { _ in TokenWeights.answer.weight(length: rollout.old.count) }
      }
    var loss = policy(
      tokens, old: old, advantages: rollouts.positions(index, \.advantages),
      reference: rollouts.positions(index, \.reference), weights: weights)
    if isValued {
      loss =
        loss
        + value(
          replica.valued.values(hidden), old: rollouts.positions(index, \.values),
          returns: rollouts.positions(index, \.returns), weights: weights)
    }
    return loss.adding(answers(rollouts.all[rollouts.range(of: index)]))
  }

  /// What is seen of whole answers.
  private func answers(_ rollouts: ArraySlice<Rollouts.Rollout>) -> Measures {
    var measures = Measures()
    for rollout in rollouts {
      measures.addAnswer(
        reward: rollout.reward, length: rollout.answer.tokens.count,
        ended: rollout.answer.hasEnded)
      measures.add(rollout.kl, to: .sequenceKL)
      measures.add(rollout.samplingDifference, to: .samplingDifference)
      measures.add(rollout.lacksReward ? 1 : 0, to: .rewardFailures)
    }
    return measures
  }
}
