import Checkpoints
import DataParallel
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
  private let objective: any Objective
  private var divergence: DivergenceGuard
  private let tallies: StepTallies
  /// Seconds of all steps of this attempt, without `Objective.prepare`.
  private(set) var secondsOfSteps = 0.0
  /// The peak performance of the machine.
  let peak: MachinePeak
  /// FLOPs of the matrix products per token, forward and backward.
  private let flopsPerToken: Double

  /// A trainer at step 0.
  ///
  /// Collective.
  ///
  /// - Parameter initializesWeights: False to leave the weights uninitialised; `restore` must
  ///   follow.
  package init(
    _ plan: TrainingPlan, world: Communicator, workers: Cores.Assignment,
    objective: any Objective, frozenModels: FrozenModels = FrozenModels(),
    initializesWeights: Bool = true
  ) throws {
    self.plan = plan
    self.objective = objective
    let options = plan.options
    let (layout, frozen) = try Trainer.parameters(of: plan)
    let memory = ProcessMemory.available() / (try world.splitByHost().size)
    let workerSplit = workers.workerSplit(
      leaves: plan.leaves, ranks: world.size,
      memoryLimit: Int(
        try world.allReduce(Int64(plan.workersThatFit(into: memory, ranks: world.size)), .min)))
    replicas = try DataParallel(
      world: world, layout: layout, frozen: frozen,
      plan: .init(
        microBatches: options.microBatches, accumulation: options.accumulation,
        threads: workerSplit.workers, team: workerSplit.team, cores: workerSplit.cores,
        reduction: options.reduction, precision: plan.precision,
        isBatchInvariant: plan.isBatchInvariant)
    ) { parameters in
      Replica(
        plan.network, parameters, rows: plan.rows, context: plan.context,
        frozenModels: frozenModels)
    }
    optimizer = ShardedOptimizer(plan.optimizer, for: replicas)
    state = TrainingState(settings: plan.settings)
    divergence = DivergenceGuard(spike: options.spike)
    tallies = StepTallies(microBatches: options.microBatches, hasMeasures: objective.hasMeasures)
    peak = try MachinePeak(of: replicas)
    flopsPerToken = 6 * plan.model.macsPerToken
    if initializesWeights { try initializeWeights() }
  }

  /// Returns the layout of the trained parameters, and the frozen weights beside them under LoRA.
  private static func parameters(of plan: TrainingPlan) throws -> (
    ParameterLayout, FrozenParameters?
  ) {
    let network = plan.network.configuration
    guard let lora = plan.lora else { return (network.layout, nil) }
    let layout = try network.layout(lora)
    let frozen = FlatBuffer(count: layout.frozen.count)
    try plan.readWeights(of: layout.frozen, into: frozen)
    return (
      layout.trainable,
      FrozenParameters(layout: layout.frozen, values: frozen, precision: plan.precision)
    )
  }

  /// Initialises the weights with random numbers, each thread of the rank a part of them, and then
  /// reads those of the initial model.
  private func initializeWeights() throws {
    let division = replicas.plan
    let threads = division.threads * division.team
    let pool = try WorkerPool(count: threads, cores: division.cores)
    defer { pool.stop() }
    try pool.run { [layout = replicas.layout, weights = replicas.parameters, plan] thread in
      layout.initialize(
        weights.elements, seed: UInt64(plan.options.seed), part: thread, of: threads)
    }
    try plan.readWeights(of: replicas.layout, into: replicas.parameters)
    try replicas.parametersChanged()
  }

  /// The number of epochs of the whole run.
  var epochs: Double { objective.epochs(steps: plan.options.steps) }

  /// One optimizer step: forward, loss, backward, exchange, update.
  ///
  /// Collective.
  ///
  /// - Parameter word: This rank's control word, which is exchanged with the step.
  /// - Returns: The report, and the control words of all ranks.
  /// - Throws: `DivergenceGuard.Diverged`, on every rank, before any weight is changed.
  func step(sending word: ControlWord) throws -> (report: StepReport, words: [ControlWord]) {
    try objective.prepare(self)
    var clock = Stopwatch()
    let sentBefore = replicas.world.traffic.bytesSent
    let step = state.step
    let rate = plan.schedule.rate(at: step)

    let gradient = try replicas.gradient {
      [objective, tallies, plan] replica, workspace, microBatch in
      let result = try objective.loss(
        of: MicroBatch(
          step: step, index: microBatch, seed: UInt64(plan.options.seed),
          recomputation: plan.options.recomputation), on: replica, in: workspace)
      tallies.set(microBatch, to: result)
      return result.loss.sum
    }
    let secondsGradient = clock.lap()
    replicas.timeline?.skip()

    let (total, positions, measures) = try tallies.totals(over: replicas)
    let words = try word.exchanged(over: replicas.world)
    let norm = try replicas.norm(of: gradient) / total.count
    try divergence.observe(step: step + 1, loss: total.mean, gradientNorm: norm)
    let secondsAgreement = clock.lap()
    replicas.timeline?.mark("losses and norm")

    let clip = plan.options.clip
    let clipping = clip > 0 && norm > clip ? clip / norm : 1
    let secondsGather = try optimizer.update(
      replicas, along: gradient, factor: Float(clipping / total.count), learningRate: Float(rate),
      update: step + 1)
    let secondsUpdate = clock.lap() - secondsGather

    state.step = step + 1
    state.tokensSeen += Int(positions)
    state.recentLosses = divergence.recent
    let seconds = secondsGradient + secondsAgreement + secondsUpdate + secondsGather
    secondsOfSteps += seconds
    let products = flopsPerToken * positions
    let report = StepReport(
      step: state.step, totalSteps: plan.options.steps, loss: total.mean, learningRate: rate,
      gradientNorm: norm, tokens: Int(positions), tokensSeen: state.tokensSeen,
      tokensPerSecond: positions / seconds, secondsPerStep: seconds,
      secondsCompute: gradient.secondsCompute,
      secondsExchange: gradient.secondsExchange + secondsAgreement + secondsGather,
      secondsExposed: gradient.secondsExposed + secondsAgreement + secondsGather,
      secondsOptimizer: secondsUpdate, secondsData: takeSecondsData(),
      gemmShare: products / seconds / peak.flopsPerSecond,
      bytesSent: replicas.world.traffic.bytesSent - sentBefore,
      memoryBytes: ProcessMemory.resident() ?? 0,
      figures: objective.figures
        + measures.figures.map { Figure($0.name, $0.value, isDetail: $0.isDetail) },
      warnings: objective.warnings(in: measures))
    return (report, words)
  }

  /// One optimizer step without orders or requests, for measurements.
  ///
  /// Collective.
  ///
  /// - Throws: `DivergenceGuard.Diverged`, on every rank, before any weight is changed.
  package func step() throws -> StepReport {
    try step(sending: ControlWord()).report
  }

  /// True when the last losses were so high that no checkpoint should be written.
  var hasLossSpike: Bool { divergence.hasLossSpike }

  /// Restores the state of `checkpoint`, independent of the number of ranks that wrote it.
  func restore(from checkpoint: Checkpoint) throws {
    let mismatches = try plan.mismatches(with: checkpoint)
    guard mismatches.isEmpty else {
      throw CheckpointError.otherModel(path: checkpoint.path, faults: mismatches)
    }
    try ModelFiles.read(
      folder: checkpoint.path, layout: replicas.layout, into: replicas.parameters.elements)
    try replicas.parametersChanged()
    try OptimizerFiles.read(
      from: checkpoint, ranges: optimizer.ranges,
      state: zip(optimizer.rule.stateNames, optimizer.state).map { ($0, $1.elements) })
    let settings = state.settings
    state = try TrainingState(from: checkpoint)
    state.settings = settings
    divergence = DivergenceGuard(spike: plan.options.spike, recent: state.recentLosses)
  }

  private func takeSecondsData() -> Double {
    let total = replicas.replicas.reduce(0) { $0 + $1.secondsData }
    for replica in replicas.replicas { replica.secondsData = 0 }
    return total / Double(replicas.plan.threads)
  }
}

extension TrainingPlan {
  /// Reads the parameters of `layout` that the initial model has; the others are unchanged.
  func readWeights(of layout: ParameterLayout, into values: FlatBuffer) throws {
    guard case .folder(let path) = weights else { return }
    let folder = try ModelFolder(path: path)
    guard tokenizer.vocabularySize > folder.tokenizer.vocabularySize else {
      return try folder.copyWeights(into: values, of: layout)
    }
    try folder.copyWeights(
      into: values, of: layout, extendedBy: tokenizer, seed: UInt64(options.seed))
  }

  /// Returns the reasons why the run cannot resume from `checkpoint`: other sizes of the model, or
  /// another optimizer.
  func mismatches(with checkpoint: Checkpoint) throws -> [String] {
    let isAdapter = checkpoint.manifest.files.contains {
      $0.name == AdapterConfiguration.weightsName
    }
    guard isAdapter == (lora != nil) else {
      return [
        isAdapter
          ? "it has LoRA adapters, not full weights" : "it has full weights, not LoRA adapters"
      ]
    }
    try adapterBase?.requireSame(in: checkpoint)
    let path = try checkpoint.path(of: "config.json")
    let saved = try ConfigurationFile.readNetwork(path).json
    let wanted = network.configuration.json
    let differing = Set(saved.keys).union(wanted.keys).sorted().filter { saved[$0] != wanted[$0] }
    let missing = Set(optimizer.stateNames).subtracting(
      try OptimizerFiles.stateNames(in: checkpoint))
    return differing.map {
      "\($0) is \((saved[$0] ?? .null).text), not \((wanted[$0] ?? .null).text)"
    } + missing.sorted().map { "optimizer state \($0) is missing" }
  }

  /// The name of the setting that identifies the initial weights.
  ///
  /// A run that records it refuses to resume from different initial weights.
  static let initialWeightsKey = "first weights"

  /// Refuses a checkpoint of a run that began with other weights.
  func requireSameInitialWeights(in checkpoint: Checkpoint) throws {
    guard let now = phaseSettings[Self.initialWeightsKey], case .folder(let path) = weights,
      let then = try TrainingState(from: checkpoint).settings[Self.initialWeightsKey], then != now
    else { return }
    throw StartRefusal.otherStart(
      checkpoint: checkpoint.path, from: path, expected: then, found: now)
  }

  /// The settings that decide the bits of the weights, for the start-up contract and the report of
  /// what a resumed run changed; each has its own entry, so that the report names only what
  /// differs.
  package var settings: [String: String] {
    [
      "seed": "\(options.seed)", "steps": "\(options.steps)",
      "microBatches": "\(options.microBatches)", "sequences": "\(options.sequences)",
      "accumulation": "\(options.accumulation)", "optimizer.name": options.rule.rawValue,
      "learningRate": "\(options.learningRate)", "betas": "\(options.betas)",
      "epsilon": "\(options.epsilon)", "momentum": "\(options.momentum)",
      "weightDecay": "\(options.weightDecay)", "clip": "\(options.clip)",
      "schedule.name": options.schedule.rawValue, "warmup": "\(options.warmup)",
      "final": "\(options.finalRate)", "decay": "\(options.decay)",
      "reduction": "\(options.reduction)", "precision": "\(precision)",
      "matrixLibrary": MatrixLibrary.description(for: precision),
      "kernels": MatrixLibrary.kernelLevel,
      "C library": MatrixLibrary.mathVersion,
    ].merging(phaseSettings) { common, _ in common }
  }
}
