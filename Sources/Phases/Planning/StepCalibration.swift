import DataParallel
import Generation
import MPI
import Monitoring
import Tensors
import Training

/// The parts of a training step on these ranks.
///
/// Some steps run with the code that trains, on the data or on arbitrary tokens, and the sampling of
/// completions in the same way; the fastest counts, because other load may be gone later. Nothing is
/// written to the disk. A step that would take long or need much memory is not run: its time is estimated from its
/// FLOPs at a typical fraction of the machine's measured peak.
package struct StepCalibration {
  /// Forward and backward passes, in seconds.
  package private(set) var secondsCompute = 0.0
  /// The optimizer's update, in seconds.
  package private(set) var secondsUpdate = 0.0
  /// The rest of the step, in seconds.
  package private(set) var secondsOther = 0.0
  /// The time per token of completions, of all workers together, in seconds.
  package private(set) var secondsPerToken = 0.0
  /// The workers of a rank.
  package let workers: Int
  /// The threads of each worker.
  package let team: Int
  /// The bytes of activations, caches and other scratch memory that the workers of this rank took;
  /// nil when no step was run.
  package private(set) var scratchBytes: Int?
  /// The bytes of this process beside weights, gradients, optimizer state and `scratchBytes`: program,
  /// libraries, tokenizer and data.
  package private(set) var programBytes = ProcessMemory.resident() ?? 0
  /// The peak of this rank.
  package let peak: ProfileReport.Peak

  /// The whole step, in seconds.
  package var seconds: Double { secondsCompute + secondsUpdate + secondsOther }

  /// The fraction of the peak that steps of wide models typically reach.
  package static let typicalFractionOfPeak = 0.6
  /// The longest step that is run for an estimate, in seconds.
  private static let longestStep = 3.0

  /// Measures or estimates a step of `sketch`.
  ///
  /// Collective.
  package init(_ sketch: PhaseSketch, world: Communicator, workers: Cores.Assignment) throws {
    var plan = sketch.plan
    // The base of adapters is not read: with weights of 0 the gradient is 0.
    plan.spike = 0
    // The steps of DiLoCo's workers take as long, without the exchange between them.
    plan.diloco = nil
    let tokens = sketch.tokensPerStep
    let flops = 6 * plan.model.macsPerToken * Double(tokens)
    let split = workers.workerSplit(leaves: plan.leaves, ranks: world.size)
    (self.workers, team) = (split.workers, split.team)
    let peak = try Self.peak(plan, world, split)
    self.peak = peak.own
    let predicted = flops / (peak.flopsPerSecond * Self.typicalFractionOfPeak)
    let memory = ProcessMemory.available(ranks: try world.splitByHost().size)
    let isSmall = sketch.memory(ranks: world.size, threads: workers.threads) < memory / 4
    let isMeasured =
      try world.allReduce(
        UInt8(isSmall && predicted < Self.longestStep ? 1 : 0), .min) == 1
    guard isMeasured else {
      secondsCompute = predicted
      secondsUpdate = Self.bytesOfUpdate(of: plan) / Double(world.size) / self.peak.memory
      secondsPerToken = predicted / Double(tokens) / 3
      return
    }
    let trainer: Trainer
    if let timed = sketch.timed {
      var real = timed.plan.with(leaves: plan.leaves)
      real.spike = 0
      trainer = try Trainer(
        real, world: world, workers: workers, objective: FewSteps(timed.phase.objective),
        frozenModels: timed.phase.frozenModels)
    } else {
      trainer = try Trainer(
        plan, world: world, workers: workers, objective: ArbitraryTokens(plan, sketch.timedSizes))
    }
    let period = sketch.timed == nil ? 1 : FewSteps.count
    for number in 0..<(sketch.timed == nil ? 1 : FewSteps.warmup) {
      let took = try trainer.step().secondsPerStep
      let isLong = try world.broadcast(took) * Double(number + 1) > 2
      if isLong { break }
    }
    let steps = try Self.fastest(of: period, on: trainer, seconds: \.secondsPerStep) {
      try trainer.step()
    }
    let mean = { (figure: (StepReport) -> Double) in
      steps.reduce(0) { $0 + figure($1) } / Double(steps.count)
    }
    (secondsCompute, secondsUpdate) = (mean(\.secondsCompute), mean(\.secondsOptimizer))
    secondsOther = max(0, mean(\.secondsPerStep) - secondsCompute - secondsUpdate)
    secondsPerToken =
      try sketch.rollouts.map { try Self.secondsPerToken(of: trainer, $0.options) }
      ?? seconds / Double(tokens) / 3
    let scratch = trainer.replicas.poolUse.bytes
    let need = plan.memoryNeed(ranks: world.size, workers: self.workers).bytes
    let frozen = plan.precision.weightBytes * sketch.frozenModelParameters
    let known = need.reduce(scratch + (sketch.timed == nil ? 0 : frozen)) {
      $0 + ($1.key == .microBatch ? 0 : $1.value)
    }
    programBytes = max(0, (ProcessMemory.resident() ?? 0) - known)
    scratchBytes = scratch
  }

  /// The bytes that the optimizer moves in an update of all elements.
  private static func bytesOfUpdate(of plan: TrainingPlan) -> Double {
    Double(plan.counts.trained * MemoryLayout<Float>.stride * (3 + 2 * plan.stateCount))
  }

  /// Returns the peak of the machine.
  private static func peak(
    _ plan: TrainingPlan, _ world: Communicator, _ split: (workers: Int, team: Int, cores: [Int]?)
  ) throws -> MachinePeak {
    let idle = try DataParallel(
      world: world, layout: ParameterLayout(), frozen: nil,
      plan: .init(
        microBatches: plan.microBatches, accumulation: plan.accumulation,
        threads: split.workers, team: split.team, cores: split.cores,
        precision: plan.precision)
    ) { $0 }
    return try MachinePeak(of: idle)
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
    return try fastest(of: 1, on: trainer, seconds: \.self) {
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
    }[0]
  }

  /// Returns the results of `measure` with the fewest `seconds`, repeated for a second, at most 20
  /// times; of a `period` of different calls, the fastest of each.
  private static func fastest<Result>(
    of period: Int, on trainer: Trainer, seconds: (Result) -> Double,
    _ measure: () throws -> Result
  ) throws -> [Result] {
    var (clock, total) = (Stopwatch(), 0.0)
    var best: [(seconds: Double, result: Result)] = []
    for number in 0..<20 {
      let own = try measure()
      total += clock.lap()
      // Rank 0's timings decide, so that all ranks repeat equally often.
      let timing = try trainer.replicas.world.broadcast([seconds(own), total])
      if number < period {
        best.append((timing[0], own))
      } else if timing[0] < best[number % period].seconds {
        best[number % period] = (timing[0], own)
      }
      if number + 1 >= period, timing[1] > 1 { break }
    }
    return best.map(\.result)
  }
}

/// An objective that repeats a few steps, so that each of them is timed several times.
private struct FewSteps: Objective {
  /// The number of the steps that are repeated.
  static let count = 4
  /// The steps before, of other examples, after which memory has grown to what longer rows need.
  static let warmup = 8

  let objective: any Objective

  init(_ objective: any Objective) {
    self.objective = objective
  }

  var hasMeasures: Bool { objective.hasMeasures }

  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    try objective.loss(
      of: microBatch.step < FewSteps.warmup
        ? microBatch : microBatch.at(step: microBatch.step % FewSteps.count),
      on: replica, in: workspace)
  }

  func epochs(steps: Int) -> Double { objective.epochs(steps: steps) }
}
