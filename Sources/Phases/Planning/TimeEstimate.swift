import DataParallel
import Generation
import MPI
import Monitoring
import Tensors
import Training

/// An estimate of the time of a run on these ranks.
///
/// It times some steps on arbitrary tokens with the code that trains, and the sampling of
/// completions in the same way, and takes the fastest timing: other load may be gone by then.
/// Nothing is written to the disk. A step that would take long or need much memory is not run; its
/// time is estimated from its FLOPs at a typical fraction of the machine's measured peak.
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

  /// The fraction of the peak that steps of wide models typically reach.
  private static let typicalFractionOfPeak = 0.6
  /// The longest step that is run for an estimate, in seconds.
  private static let longestStep = 3.0

  /// Estimates the run of `sketch`.
  ///
  /// Collective.
  package init(_ sketch: PhaseSketch, world: Communicator, workers: Cores.Assignment) throws {
    var plan = sketch.plan
    // The base of adapters is not read: with weights of 0 the gradient is 0.
    plan.spike = 0
    let sizes =
      sketch.rowSizes ?? RowSizes(context: plan.context, sourceContext: plan.sourceContext)
    let tokensPerStep = plan.microBatches * plan.rows * (sizes.context + sizes.sourceContext)
    let flops = 6 * plan.model.macsPerToken * Double(tokensPerStep)
    let predicted =
      flops / (try TimeEstimate.peak(plan, world, workers) * Self.typicalFractionOfPeak)
    let memory = ProcessMemory.available(ranks: try world.splitByHost().size)
    let isSmall = sketch.memory(ranks: world.size, threads: workers.threads) < memory / 4
    let isMeasured =
      try world.allReduce(
        UInt8(isSmall && predicted < Self.longestStep ? 1 : 0), .min) == 1
    var (step, token) = (predicted, predicted / Double(tokensPerStep) / 3)
    if isMeasured {
      let trainer = try Trainer(
        plan, world: world, workers: workers,
        objective: ArbitraryTokens(plan, sizes))
      step = try TimeEstimate.secondsPerStep(of: trainer)
      token =
        try sketch.rollouts.map { try TimeEstimate.secondsPerToken(of: trainer, $0.options) }
        ?? token
    }
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

  /// Returns the peak FLOP/s of all ranks.
  private static func peak(
    _ plan: TrainingPlan, _ world: Communicator, _ workers: Cores.Assignment
  ) throws -> Double {
    let workerSplit = workers.workerSplit(leaves: plan.leaves, ranks: world.size)
    let idle = try DataParallel(
      world: world, layout: ParameterLayout(), frozen: nil,
      plan: .init(
        microBatches: plan.microBatches, accumulation: plan.accumulation,
        threads: workerSplit.workers, team: workerSplit.team, cores: workerSplit.cores,
        precision: plan.precision)
    ) { $0 }
    return try MachinePeak(of: idle).flopsPerSecond
  }

  /// Returns the seconds of a step, after a warm-up step.
  private static func secondsPerStep(of trainer: Trainer) throws -> Double {
    _ = try trainer.step()
    return try TimeEstimate.fastest(on: trainer) { try trainer.step().secondsPerStep }
  }

  /// Returns the seconds per token of a completion with all workers sampling.
  private static func secondsPerToken(
    of trainer: Trainer, _ options: RolloutOptions
  ) throws -> Double {
    let plan = trainer.plan
    let tokens = min(options.tokens, plan.context - 1, 128)
    let length = max(1, min(plan.context - options.tokens, plan.context - tokens))
    let perUnit = max(1, options.batch / options.samples)
    let units = (options.prompts + perUnit - 1) / perUnit
    let world = trainer.replicas.world
    let timedUnits = min(units, world.size * trainer.replicas.plan.threads)
    let prompts = (0..<min(perUnit, options.prompts)).map { number in
      (0..<length).map { Int32(($0 * 31 + number) % min(256, plan.model.vocabulary)) }
    }
    return try TimeEstimate.fastest(on: trainer) {
      var clock = Stopwatch()
      // Greedy decoding: sampling from the flat distribution of an untrained model takes much
      // longer than from that of a trained one.
      let counts = try trainer.replicas.collected(count: timedUnits) { replica, workspace, _ in
        let request = CompletionRequest(
          prompts: prompts, samples: options.samples, maximum: tokens,
          sampling: .greedy, ends: [], vocabulary: plan.model.vocabulary, seed: 1)
        return Generator(replica.model, configuration: plan.model, in: workspace)
          .completions(request).map(\.tokens.count)
      }
      let all = Double(counts.joined().reduce(0, +))
      return clock.lap() / max(1, all)
    }
  }

  /// Returns the smallest result of `measure`, repeated for a second, at most 20 times.
  private static func fastest(
    on trainer: Trainer, _ measure: () throws -> Double
  ) throws -> Double {
    var (clock, total, best) = (Stopwatch(), 0.0, Double.infinity)
    for _ in 0..<20 {
      let own = try measure()
      total += clock.lap()
      // Rank 0's timings decide, so that all ranks repeat equally often.
      let timing = try trainer.replicas.world.broadcast([own, total])
      best = min(best, timing[0])
      if timing[1] > 1 { break }
    }
    return best
  }
}
