import MPI
import Monitoring
import Objectives
import Phases
import Tensors
import TestWorld

@testable import Training

/// An objective whose loss is multiplied by a factor in some steps, as bad data would: a function of
/// the step alone, so that it is the same on any rank and after any crash.
struct PoisonedObjective: Objective {
  let base: any Objective
  /// The factors by step, from 1.
  let factors: [Int: Float]

  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    let healthy = try base.loss(of: microBatch, on: replica, in: workspace)
    guard let factor = factors[microBatch.step + 1] else { return healthy }
    return MicroBatchLoss(
      loss: Loss(healthy.loss.sum * factor, count: healthy.loss.count), tokens: healthy.tokens)
  }

  func epochs(steps: Int) -> Double { base.epochs(steps: steps) }

  func guessLoss(vocabulary: Int) -> Double? { base.guessLoss(vocabulary: vocabulary) }
}

/// The small run with a poisoned objective.
struct PoisonedPhase: Phase {
  let base: any Phase
  let factors: [Int: Float]
  /// Optimizer steps per iteration.
  var stepsPerIteration = 1

  var plan: TrainingPlan { base.plan }

  func prepare(_ run: RunContext) throws -> PreparedPhase {
    let prepared = try base.prepare(run)
    return PreparedPhase(
      objective: PoisonedObjective(base: prepared.objective, factors: factors),
      evaluator: prepared.evaluator, settings: prepared.settings,
      frozenModels: prepared.frozenModels, stepsPerIteration: stepsPerIteration,
      conclude: prepared.conclude)
  }
}

extension SharedFolder {
  /// One attempt of the small run whose losses are multiplied by `factors`.
  ///
  /// Collective.
  @discardableResult
  func attempt(
    poisoned factors: [Int: Float], _ overrides: [String], threads: Int = 1,
    stepsPerIteration: Int = 1, resume: TrainingRun.Resume = .auto,
    recorder: Recorder = Recorder()
  ) throws -> TrainingRun.Outcome {
    let base = try phase(["run=\(run.path)", "data.train=[\(corpus)]"] + overrides)
    return try TrainingRun(
      PoisonedPhase(base: base, factors: factors, stepsPerIteration: stepsPerIteration),
      world: world, workers: .init(threads: threads, cores: nil), resume: resume,
      observer: recorder, version: "test"
    ).run()
  }
}
