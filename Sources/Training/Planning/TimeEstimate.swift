import DataParallel
import Generation
import MPI
import Monitoring
import Tensors

/// About how long a run will take on these ranks.
///
/// Some steps are taken on arbitrary tokens, by the same code that trains; answers are written the same
/// way where the run samples some. The quickest counts, as what else the machine does now may be over
/// by then. Nothing is written to the disk. Where a step would take long, or needs much of the memory,
/// it is not taken: then it is its matrix products at a usual share of the machine's measured peak.
public struct TimeEstimate {
  /// The parts of an estimate, in seconds.
  public private(set) var training = 0.0
  /// Writing answers.
  public private(set) var generation = 0.0
  /// Scoring them.
  public private(set) var scoring = 0.0
  /// Evaluations whose size the keys say.
  public private(set) var evaluation = 0.0

  /// All of them.
  public var seconds: Double { training + generation + scoring + evaluation }

  /// Share of the peak that the steps of models of some width reach.
  private static let usualShare = 0.6
  /// The longest step that is taken for an estimate, in seconds.
  private static let longestStep = 3.0

  /// Estimates the run that `sketch` is of.
  ///
  /// Collective.
  public init(_ sketch: PhaseSketch, world: Communicator, workers: Cores.Assignment) throws {
    let plan = sketch.plan
    let products = 6 * plan.model.productsPerToken * Double(plan.tokensPerStep)
    let predicted = products / (try TimeEstimate.peak(plan, world, workers) * Self.usualShare)
    let share = ProcessMemory.available() / (try world.splitByHost().size)
    let isSmall = sketch.memory(ranks: world.size, threads: workers.threads) < share / 4
    let isMeasured =
      try world.allReduce(
        UInt8(isSmall && predicted < Self.longestStep ? 1 : 0), .min) == 1
    var (step, token) = (predicted, predicted / Double(plan.tokensPerStep) / 3)
    if isMeasured {
      let trainer = try Trainer(
        plan, world: world, workers: workers,
        objective: ArbitraryTokens(network: plan.network, sourceContext: plan.sourceContext))
      step = try TimeEstimate.step(of: trainer)
      token = try sketch.alignment.map { try TimeEstimate.token(of: trainer, $0) } ?? token
    }
    let steps = Double(plan.options.steps)
    training = steps * step
    if sketch.evaluatedTokens > 0 {
      let every = plan.options.evaluateEvery
      let evaluations = every > 0 ? (steps / Double(every)).rounded(.up) : 1
      evaluation =
        evaluations * step / 3 * Double(sketch.evaluatedTokens) / Double(plan.tokensPerStep)
    }
    guard let alignment = sketch.alignment, alignment.method != .dpo else { return }
    let iterations = steps / Double(alignment.period)
    let answers = Double(alignment.rollouts.count)
    generation = iterations * answers * Double(alignment.rollouts.tokens) * token
    // Forward passes: the policy, the model that it began with, and the reward model.
    let passes = alignment.reward.model == nil ? 2.0 : 3.0
    let perStep = Double(plan.options.microBatches * plan.rows)
    scoring = iterations * answers / perStep * passes / 3 * step
  }

  /// Operations a second of all ranks.
  private static func peak(
    _ plan: TrainingPlan, _ world: Communicator, _ workers: Cores.Assignment
  ) throws -> Double {
    let crew = workers.crew(leaves: plan.leaves, ranks: world.size)
    let idle = try DataParallel(
      world: world, layout: ParameterLayout(), frozen: nil,
      plan: .init(
        microBatches: plan.options.microBatches, accumulation: plan.options.accumulation,
        threads: crew.workers, team: crew.team, cores: crew.cores, precision: plan.precision)
    ) { $0 }
    return try Calibration(of: idle).products
  }

  /// Seconds of a step, after one that warms up.
  private static func step(of trainer: Trainer) throws -> Double {
    _ = try trainer.step()
    return try TimeEstimate.quickest(on: trainer) { try trainer.step().secondsPerStep }
  }

  /// Seconds for a token of an answer, all workers writing.
  private static func token(of trainer: Trainer, _ options: AlignmentOptions) throws -> Double {
    guard options.method != .dpo else { return 0 }
    let plan = trainer.plan
    let tokens = min(options.rollouts.tokens, plan.context - 1, 128)
    let length = max(1, min(plan.context - options.rollouts.tokens, plan.context - tokens))
    let perUnit = max(1, options.rollouts.batch / options.rollouts.samples)
    let units = (options.rollouts.prompts + perUnit - 1) / perUnit
    let world = trainer.replicas.world
    let written = min(units, world.size * trainer.replicas.plan.threads)
    let prompts = (0..<min(perUnit, options.rollouts.prompts)).map { number in
      (0..<length).map { Int32(($0 * 31 + number) % min(256, plan.model.vocabulary)) }
    }
    return try TimeEstimate.quickest(on: trainer) {
      var clock = Stopwatch()
      // Greedily: to draw from the even chances of a model that has not learned takes far longer than
      // from those of one that has.
      let counts = try trainer.replicas.collected(count: written) { replica, workspace, _ in
        let request = AnswerRequest(
          prompts: prompts, samples: options.rollouts.samples, maximum: tokens,
          sampling: .greedy, end: nil, vocabulary: plan.model.vocabulary, seed: 1)
        return Generator(replica.model, configuration: plan.model, in: workspace)
          .answers(request).map { Float($0.tokens.count) }
      }
      let all = counts.reduce(0.0) { $0 + $1.reduce(0.0) { $0 + Double($1) } }
      return clock.lap() / max(1, all)
    }
  }

  /// The least that `measure` says in a second, 20 times at most.
  private static func quickest(
    on trainer: Trainer, _ measure: () throws -> Double
  ) throws -> Double {
    var (clock, total, best) = (Stopwatch(), 0.0, Double.infinity)
    for _ in 0..<20 {
      let own = try measure()
      total += clock.lap()
      // All ranks say and end the same: the times are those of the first.
      let told = try trainer.replicas.world.broadcast([own, total])
      best = min(best, told[0])
      if told[1] > 1 { break }
    }
    return best
  }
}
