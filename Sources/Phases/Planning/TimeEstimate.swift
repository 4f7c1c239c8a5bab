import DataParallel
import MPI

/// An estimate of the time of a run on these ranks, from a `StepCalibration`.
package struct TimeEstimate {
  /// Seconds of the optimizer steps.
  package private(set) var training = 0.0
  /// Seconds of sampling completions.
  package private(set) var generation = 0.0
  /// Seconds of scoring completions.
  package private(set) var scoring = 0.0
  /// Seconds of evaluations, if the keys give their size.
  package private(set) var evaluation = 0.0

  /// Seconds in total.
  package var seconds: Double { training + generation + scoring + evaluation }

  /// Estimates the run of `sketch`.
  ///
  /// Collective.
  package init(_ sketch: PhaseSketch, world: Communicator, workers: Cores.Assignment) throws {
    let step = try StepCalibration(sketch, world: world, workers: workers)
    self.init(sketch, secondsPerStep: step.seconds, secondsPerToken: step.secondsPerToken)
  }

  /// Estimates the run of `sketch`.
  ///
  /// - Parameters:
  ///   - step: The seconds of an optimizer step.
  ///   - token: The seconds per token of completions, on all workers of all ranks together.
  package init(_ sketch: PhaseSketch, secondsPerStep step: Double, secondsPerToken token: Double) {
    let plan = sketch.plan
    let steps = Double(plan.steps - sketch.firstStep)
    training = steps * step
    if sketch.evaluatedTokens > 0 {
      let every = plan.evaluateEvery
      let evaluations = every > 0 ? (steps / Double(every)).rounded(.up) : 1
      evaluation =
        evaluations * step / 3 * Double(sketch.evaluatedTokens) / Double(plan.tokensPerStep)
    }
    guard let rollouts = sketch.rollouts else { return }
    let iterations = steps / Double(rollouts.stepsPerIteration)
    let completions = Double(rollouts.options.count)
    generation = iterations * completions * Double(rollouts.options.tokens) * token
    // Forward passes: the policy, the reference model, and the reward model.
    let passes = rollouts.hasRewardModel ? 3.0 : 2.0
    let perStep = Double(plan.microBatches * plan.rows)
    scoring = iterations * completions / perStep * passes / 3 * step
  }
}
