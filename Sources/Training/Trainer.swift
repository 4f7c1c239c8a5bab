import Checkpoints
import DataParallel
import Faults
import MPI
import Models
import Monitoring
import Tensors

/// The training step, and the state that it advances.
///
/// Every rank has a trainer; methods marked so are collective.
package final class Trainer {
  package let plan: TrainingPlan
  /// The copies of the network on this rank's workers.
  package let replicas: DataParallel<Replica>
  /// The optimizer, with its state for the parameters that this rank owns.
  package let optimizer: ShardedOptimizer
  /// The number of steps done, and the other state that a checkpoint keeps.
  package internal(set) var state: TrainingState
  /// The objective that every micro-batch minimises.
  let objective: any Objective
  var divergence: DivergenceGuard
  /// The rule of `guard.onSpike: skip`; nil without it.
  var spikes: SpikeRule?
  /// The steps that the run skips, with those after the current one.
  var skips = SkipRecord()
  /// The reason why the last step was skipped; nil for a trained step, and after undone ones.
  var skipReason: String?
  /// The first of the steps up to the last one that all have a `fault`; nil when the last has none.
  var firstFault: Int?
  let tallies: StepTallies
  private let audit: GradientAudit?
  /// The part of this rank in a DiLoCo run; nil without it.
  let diloco: DiLoCoPart?
  /// The work of this rank, for the watchdog.
  let activity: RankActivity
  /// Seconds of all steps of this attempt, without `Objective.prepare`.
  var secondsOfSteps = 0.0
  /// The meter of this rank; nil for a trainer that only measures time.
  private var meter: EnergyMeter?
  /// The peak performance of the machine.
  var peak: MachinePeak

  /// A trainer at step 0.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - activity: Receives the work of this rank.
  ///   - settings: The identity of the phase's data by name, which checkpoints keep with the plan's
  ///     settings.
  ///   - meter: The meter of this rank's energy.
  ///   - initializesWeights: False to leave the weights uninitialised; `restore` must follow.
  package init(
    _ plan: TrainingPlan, world: Communicator, workers: Cores.Assignment,
    objective: any Objective, activity: RankActivity = RankActivity(),
    frozenModels: FrozenModels = FrozenModels(),
    settings: [String: String] = [:], meter: EnergyMeter? = nil, initializesWeights: Bool = true
  ) throws {
    self.plan = plan
    self.objective = objective
    self.activity = activity
    self.meter = meter
    try plan.requireRanks(world.size)
    let memory = try plan.requireMemory(on: world)
    let (layout, frozen) = try Trainer.parameters(of: plan)
    let groups = plan.groups(ranks: world.size)
    let division = plan.gradientDivision(ranks: world.size)
    let microBatches = division.leaves * plan.accumulation
    let workerSplit = workers.workerSplit(
      leaves: division.leaves, ranks: division.ranks,
      memoryLimit: Int(
        try world.allReduce(Int64(plan.workersThatFit(into: memory, ranks: world.size)), .min)))
    replicas = try DataParallel(
      world: world, group: try groups.map { try $0.group(of: world) }, layout: layout,
      frozen: frozen,
      plan: .init(
        microBatches: microBatches, accumulation: plan.accumulation,
        threads: workerSplit.workers, team: workerSplit.team, cores: workerSplit.cores,
        reduction: plan.reduction, precision: plan.precision,
        isBatchInvariant: plan.isBatchInvariant)
    ) { parameters in
      Replica(plan.network, parameters, frozenModels: frozenModels)
    }
    optimizer = ShardedOptimizer(plan.optimizer, for: replicas)
    if let settings = plan.diloco, let groups {
      diloco = try DiLoCoPart(settings, groups, first: optimizer, for: replicas)
    } else {
      diloco = nil
    }
    state = TrainingState(settings: plan.settings.merging(settings) { _, phase in phase })
    divergence = DivergenceGuard(spike: plan.spike, examples: plan.microBatches * plan.rows)
    spikes = plan.spikeRule()
    tallies = StepTallies(microBatches: microBatches, hasMeasures: objective.hasMeasures)
    audit = try GradientAudit(plan, of: replicas)
    peak = try MachinePeak(of: replicas)
    if initializesWeights { try initializeWeights() }
  }

  /// Returns the layout of the trained parameters, and the frozen weights beside them under LoRA.
  private static func parameters(of plan: TrainingPlan) throws -> (
    ParameterLayout, FrozenParameters?
  ) {
    let network = plan.network
    guard let lora = plan.lora else { return (network.layout, nil) }
    let layout = try network.layout(lora)
    let frozen = FlatBuffer(count: layout.frozen.count)
    _ = try plan.readWeights(of: layout.frozen, into: frozen)
    return (
      layout.trainable,
      FrozenParameters(layout: layout.frozen, values: frozen, precision: plan.precision)
    )
  }

  /// Reads the weights of the initial model, and initialises the parameters that it lacks with
  /// random numbers, each thread of the rank a part of them.
  func initializeWeights() throws {
    let missing = Set(try plan.readWeights(of: replicas.layout, into: replicas.parameters))
    if !missing.isEmpty {
      let division = replicas.plan
      let threads = division.threads * division.team
      let pool = try WorkerPool(count: threads, cores: division.cores)
      defer { pool.stop() }
      try pool.run { [layout = replicas.layout, weights = replicas.parameters, plan] thread in
        layout.initialize(
          weights.elements, seed: plan.seed, only: missing, part: thread, of: threads)
      }
    }
    try replicas.parametersChanged()
  }

  /// The number of epochs of the whole run.
  var epochs: Double { objective.epochs(steps: plan.steps) }

  /// One optimizer step: forward, loss, backward, exchange, update.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - word: This rank's control word, which is exchanged with the step.
  ///   - awaitReaders: Returns when weights and optimizer state may change; its time is not part of
  ///     the step.
  /// - Returns: The report, and the control words of all ranks.
  /// - Throws: `DivergenceGuard.Diverged`, `CorruptedWeights` or `CorruptedGradient`, on every rank,
  ///   before any weight is changed.
  func step(
    sending word: ControlWord, awaitReaders: () throws -> Void = {}
  ) throws -> (report: StepReport, words: [ControlWord]) {
    activity.begin(.preparation, step: state.step + 1)
    let preparation = try objective.prepare(context)
    state.variables.merge(preparation.variables) { _, new in new }
    var seconds = StepSeconds()
    let sentBefore = replicas.bytesSent
    let step = state.step
    let rate = plan.schedule.rate(at: step)

    let flopsBefore = replicas.flops
    activity.begin(.gradient, step: step + 1)
    FaultSchedule.begin(step: step + 1)
    let gradient = try gradient(ofStep: step, auditing: audit?.leaf(ofStep: step + 1))
    seconds.gradient = seconds.clock.lap()
    replicas.timeline?.skip()

    activity.begin(.update, step: step + 1)
    let totals = try tallies.totals(over: replicas)
    var word = word
    word.flops = Int(replicas.flops - flopsBefore)
    word.computeMicroseconds = Int(gradient.secondsCompute * 1e6)
    word.energy = takeEnergy()
    word.weights = Int(bitPattern: UInt(try checksumOfWeights()))
    let words = try word.exchanged(over: replicas.world)
    try replicas.world.requireEqualWeights(words, step: step + 1)
    let loss = loss(ofStep: step)
    try audit?.check(step: step + 1, checksum: gradient.leafChecksum) {
      try loss($0, $1, $2).loss.sum
    }
    let norm = try replicas.norm(of: gradient) / totals.loss.count
    // A machine that computes wrongly may be the cause of a spike.
    let auditNow = { [audit] in
      try audit?.check(step: step + 1, checksum: nil) { try loss($0, $1, $2).loss.sum }
    }
    do {
      skipReason = try judge(totals, norm: norm)
    } catch {
      try auditNow()
      throw error
    }
    if skipReason != nil { try auditNow() }
    seconds.agreement = seconds.clock.lap()
    replicas.timeline?.mark("losses and norm")

    if skipReason == nil {
      activity.begin(.saving, step: step + 1)
      try awaitReaders()
      activity.begin(.update, step: step + 1)
      _ = seconds.clock.lap()
      let clipping = plan.clip > 0 && norm > plan.clip ? plan.clip / norm : 1
      seconds.gather = try optimizer.update(
        replicas, along: gradient, factor: Float(clipping / totals.loss.count),
        learningRate: Float(rate), update: skips.updates(upTo: step) + 1)
      seconds.update = seconds.clock.lap() - seconds.gather
    }

    activity.begin(.boundary, step: step + 1)
    state.step = step + 1
    if skipReason == nil { state.tokensSeen += Int(totals.tokens) }
    keepGuards()
    secondsOfSteps += seconds.total
    var report = report(totals, rate: rate, norm: norm, gradient, seconds)
    let flops = words.reduce(0.0) { $0 + Double($1.flops) }
    report.peakFraction = peak.fraction(flops / seconds.total)
    report.bytesSent = replicas.bytesSent - sentBefore
    report.figures = preparation.figures + report.figures
    report.warnings += preparation.warnings
    return (report, words)
  }

  /// Computes the micro-batches of a gradient, from `first` on, in the step after `step`, and sums their
  /// gradients; their losses are in `tallies`.
  ///
  /// Collective over the group.
  ///
  /// - Parameter leaf: A leaf of this rank whose checksum is wanted; nil for none.
  func gradient(
    ofStep step: Int, from first: Int = 0, auditing leaf: Int? = nil
  ) throws -> SummedGradient {
    let loss = loss(ofStep: step)
    return try replicas.gradient(auditing: leaf) { [tallies] replica, workspace, microBatch in
      FaultSchedule.reach(.forward)
      let result = try loss(replica, workspace, first + microBatch)
      tallies.set(microBatch, to: result)
      return result.loss.sum
    }
  }

  /// Returns the loss of a micro-batch of the step after `step`, which has no other effects.
  private func loss(
    ofStep step: Int
  )
    -> @Sendable (_ replica: Replica, _ workspace: Workspace, _ microBatch: Int) throws ->
    MicroBatchLoss
  {
    { [objective, plan, activity] replica, workspace, microBatch in
      activity.tick()
      return try objective.loss(
        of: MicroBatch(
          step: step, index: microBatch, seed: plan.seed, recomputation: plan.recomputation),
        on: replica, in: workspace)
    }
  }

  /// Returns the checksum of the weights that this step reads; 0 with a single rank, which has
  /// nothing to compare it with.
  func checksumOfWeights() throws -> UInt64 {
    try replicas.world.size == 1 ? 0 : replicas.weightsChecksum()
  }

  /// Throws when the weights are not the same on all ranks.
  ///
  /// Collective.
  ///
  /// - Throws: `CorruptedWeights`, on every rank.
  func requireEqualWeights() throws {
    var word = ControlWord()
    word.weights = Int(bitPattern: UInt(try checksumOfWeights()))
    try replicas.world.requireEqualWeights(
      try word.exchanged(over: replicas.world), step: state.step)
  }

  /// The durations of the parts of a step, in seconds.
  private struct StepSeconds {
    var clock = Stopwatch()
    var gradient = 0.0
    var agreement = 0.0
    var update = 0.0
    var gather = 0.0

    var total: Double { gradient + agreement + update + gather }
  }

  private func report(
    _ totals: StepTotals, rate: Double, norm: Double, _ gradient: SummedGradient,
    _ seconds: StepSeconds
  ) -> StepReport {
    let exchange = seconds.agreement + seconds.gather
    var report = StepReport(
      step: state.step, totalSteps: plan.steps, loss: totals.loss.mean, learningRate: rate,
      gradientNorm: norm, tokens: Int(totals.tokens), tokensSeen: state.tokensSeen,
      tokensPerSecond: totals.tokens / seconds.total, secondsPerStep: seconds.total,
      secondsCompute: gradient.secondsCompute,
      secondsExchange: gradient.secondsExchange + exchange,
      secondsExposed: gradient.secondsExposed + exchange,
      secondsOptimizer: seconds.update, secondsData: takeSecondsData(),
      memoryBytes: ProcessMemory.resident() ?? 0,
      figures: totals.measures.figures.map { Figure($0.name, $0.value, isDetail: $0.isDetail) },
      warnings: objective.warnings(in: totals.measures))
    report.lossName = objective.lossName
    report.skipped = skipReason
    return report
  }

  /// One optimizer step without orders or requests, for measurements.
  ///
  /// Collective.
  ///
  /// - Throws: `DivergenceGuard.Diverged`, on every rank, before any weight is changed.
  package func step() throws -> StepReport {
    try step(sending: ControlWord()).report
  }

  /// The state between two steps, for the phase's objective and evaluator.
  var context: TrainingContext {
    TrainingContext(
      plan: plan, replicas: replicas, step: state.step, variables: state.variables,
      secondsOfSteps: secondsOfSteps)
  }

  /// Records the loss of an evaluation.
  ///
  /// - Returns: True when no earlier evaluation had a lower loss; never during a loss spike, when
  ///   nothing is saved.
  func isBest(_ loss: Double) -> Bool {
    guard !hasFault, state.best.map({ loss < $0.loss }) ?? true else {
      state.evaluationsSinceBest = (state.evaluationsSinceBest ?? 0) + 1
      return false
    }
    state.best = .init(step: state.step, loss: loss)
    state.evaluationsSinceBest = 0
    return true
  }

  /// True while an evaluation of this step has begun and has no result.
  var owesEvaluation: Bool {
    get { state.owesEvaluation ?? false }
    set { state.owesEvaluation = newValue ? true : nil }
  }

  /// Forgets the best evaluation, whose checkpoint is in the folder of another run.
  func forgetBest() {
    state.best = nil
    state.evaluationsSinceBest = nil
  }

  /// The warning of a run that ends worse than a guess, as a sentence; nil for others.
  var lossWarning: String? {
    let guess = objective.guessLoss(vocabulary: plan.model.vocabulary)
    return guess.flatMap(divergence.warning)
  }

  /// The reason to doubt the last step, as the part of a sentence, so that no checkpoint should be
  /// written; nil for a healthy step.
  var fault: String? { skipReason ?? divergence.fault }

  /// True when there is reason to doubt the last step.
  var hasFault: Bool { fault != nil }

  /// Restores the state of `checkpoint`, independent of the number of ranks that wrote it.
  func restore(from checkpoint: Checkpoint) throws {
    let mismatches = try plan.mismatches(with: checkpoint)
    guard mismatches.isEmpty else {
      throw CheckpointError.otherModel(path: checkpoint.path, faults: mismatches)
    }
    try ModelFiles.read(
      folder: checkpoint.path, layout: replicas.layout, into: replicas.parameters.elements)
    try replicas.parametersChanged()
    for part in optimizerState {
      try OptimizerFiles.read(
        from: checkpoint, ranges: part.ranges,
        state: part.state.map { ($0.name, $0.values.elements) })
    }
    let settings = state.settings
    state = try TrainingState(from: checkpoint)
    // After other examples, other losses are normal.
    if state.settings != settings { forgetGuards() }
    state.settings = settings
    resetGuards()
  }

  /// Returns the energy that this rank accounts for since the last call.
  func takeEnergy() -> Energy { meter?.lap() ?? Energy() }

  /// The optimizer state of this rank by its names in a checkpoint.
  var optimizerState: [OptimizerFiles.Part] {
    diloco?.state
      ?? [
        .init(
          ranges: optimizer.ranges, state: Array(zip(optimizer.rule.stateNames, optimizer.state)))
      ]
  }

  /// Returns the mean seconds that a worker spent on reading batches since the last call.
  func takeSecondsData() -> Double {
    let total = replicas.replicas.reduce(0) { $0 + $1.secondsData }
    for replica in replicas.replicas { replica.secondsData = 0 }
    return total / Double(replicas.plan.threads)
  }
}
