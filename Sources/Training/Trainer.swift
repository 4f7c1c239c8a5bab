import Checkpoints
import DataParallel
import MPI
import Models
import Monitoring
import Tensors

/// The training step, and the state that it moves on.
///
/// Every rank has one; all of its methods that say so are collective.
public final class Trainer {
  /// What the run is to do.
  public let plan: TrainingPlan
  /// The copies of the network.
  public let replicas: DataParallel<Replica>
  /// The optimizer, with its state for what this rank owns.
  public let optimizer: ShardedOptimizer
  /// Steps done and what else a checkpoint keeps.
  public internal(set) var state: TrainingState
  /// What every micro-batch minimises.
  private let objective: any Objective
  private var divergence: DivergenceGuard
  private let tallies: StepTallies
  /// Seconds of all steps of this attempt, without what was made ready for them.
  private(set) var secondsOfSteps = 0.0
  /// What the machine can do at most.
  let calibration: Calibration
  /// Operations of the matrix products of one token, forward and backward.
  private let operationsPerToken: Double

  /// A trainer at step 0, with its first weights unless `begins` is false: then `restore` must follow.
  ///
  /// Collective.
  public init(
    _ plan: TrainingPlan, world: Communicator, workers: Cores.Assignment,
    objective: any Objective, companions: Companions = Companions(), begins: Bool = true
  ) throws {
    self.plan = plan
    self.objective = objective
    let options = plan.options
    let (layout, frozen) = try Trainer.parameters(of: plan)
    let share = ProcessMemory.available() / (try world.splitByHost().size)
    let crew = workers.crew(
      leaves: plan.leaves, ranks: world.size,
      most: Int(
        try world.allReduce(Int64(plan.workersThatFit(into: share, ranks: world.size)), .min)))
    replicas = try DataParallel(
      world: world, layout: layout, frozen: frozen,
      plan: .init(
        microBatches: options.microBatches, accumulation: options.accumulation,
        threads: crew.workers, team: crew.team, cores: crew.cores, reduction: options.reduction,
        precision: plan.precision, isBatchInvariant: plan.isBatchInvariant)
    ) { parameters in
      Replica(
        plan.network, parameters, rows: plan.rows, context: plan.context, companions: companions)
    }
    optimizer = ShardedOptimizer(plan.optimizer, for: replicas)
    state = TrainingState(terms: plan.terms)
    divergence = DivergenceGuard(spike: options.spike)
    tallies = StepTallies(microBatches: options.microBatches, measures: objective.measures)
    calibration = try Calibration(of: replicas)
    operationsPerToken = 6 * plan.model.productsPerToken
    if begins { try beginWeights() }
  }

  /// What is trained, and the weights beside it that stay as they are.
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

  /// Gives the weights their first values: drawn by all threads of the rank, each a part of them, and
  /// then those of the folder that the run begins with.
  private func beginWeights() throws {
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

  /// How many times the whole run reads its tokens.
  var epochs: Double { objective.epochs(steps: plan.options.steps) }

  /// One optimizer step: forward, loss, backward, exchange, update.
  ///
  /// Collective.
  ///
  /// - Parameter word: What this rank tells the others with the step.
  /// - Returns: The report, and what every rank told.
  /// - Throws: `DivergenceGuard.Diverged`, on every rank, before any weight is changed.
  func step(telling word: ControlWord) throws -> (report: StepReport, words: [ControlWord]) {
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
      replicas, factor: Float(clipping / total.count), learningRate: Float(rate),
      update: step + 1)
    let secondsUpdate = clock.lap() - secondsGather

    state.step = step + 1
    state.tokensSeen += Int(positions)
    state.recentLosses = divergence.recent
    let seconds = secondsGradient + secondsAgreement + secondsUpdate + secondsGather
    secondsOfSteps += seconds
    let products = operationsPerToken * positions
    let report = StepReport(
      step: state.step, totalSteps: plan.options.steps, loss: total.mean, learningRate: rate,
      gradientNorm: norm, tokens: Int(positions), tokensSeen: state.tokensSeen,
      tokensPerSecond: positions / seconds, secondsPerStep: seconds,
      secondsCompute: gradient.secondsCompute,
      secondsExchange: gradient.secondsExchange + secondsAgreement + secondsGather,
      secondsExposed: gradient.secondsExposed + secondsAgreement + secondsGather,
      secondsOptimizer: secondsUpdate, secondsData: takeSecondsData(),
      gemmShare: products / seconds / calibration.products,
      bytesSent: replicas.world.traffic.bytesSent - sentBefore,
      memoryBytes: ProcessMemory.resident() ?? 0,
      figures: objective.figures
        + measures.figures.map { Figure($0.name, $0.value, isDetail: $0.isDetail) },
      findings: objective.findings(in: measures))
    return (report, words)
  }

  /// One optimizer step with nothing to tell: for measurements.
  ///
  /// Collective.
  ///
  /// - Throws: `DivergenceGuard.Diverged`, on every rank, before any weight is changed.
  public func step() throws -> StepReport {
    try step(telling: ControlWord()).report
  }

  /// Whether the last losses were so high that no checkpoint should be written.
  var isSuspicious: Bool { divergence.isSuspicious }

  /// Goes on from `checkpoint`, whatever number of ranks wrote it.
  func restore(from checkpoint: Checkpoint) throws {
    let faults = try plan.faults(of: checkpoint)
    guard faults.isEmpty else {
      throw CheckpointError.otherModel(path: checkpoint.path, faults: faults)
    }
    try ModelFiles.read(
      folder: checkpoint.path, layout: replicas.layout, into: replicas.parameters.elements)
    try replicas.parametersChanged()
    try OptimizerFiles.read(
      from: checkpoint, ranges: optimizer.ranges,
      state: zip(optimizer.rule.stateNames, optimizer.state).map { ($0, $1.elements) })
    let terms = state.terms
    state = try TrainingState(from: checkpoint)
    state.terms = terms
    divergence = DivergenceGuard(spike: plan.options.spike, recent: state.recentLosses)
  }

  private func takeSecondsData() -> Double {
    let total = replicas.replicas.reduce(0) { $0 + $1.secondsData }
    for replica in replicas.replicas { replica.secondsData = 0 }
    return total / Double(replicas.plan.threads)
  }
}

extension TrainingPlan {
  /// Reads what the folder that the run begins with has of `layout`; the rest stays as it is.
  func readWeights(of layout: ParameterLayout, into values: FlatBuffer) throws {
    guard case .folder(let path) = weights else { return }
    let folder = try ModelFolder(path: path)
    guard tokenizer.vocabularySize > folder.tokenizer.vocabularySize else {
      return try folder.copyWeights(into: values, of: layout)
    }
    try folder.copyWeights(
      into: values, of: layout, extendedBy: tokenizer, seed: UInt64(options.seed))
  }

  /// What stands against going on from `checkpoint`: its model has other sizes, or its optimizer
  /// was another.
  func faults(of checkpoint: Checkpoint) throws -> [String] {
    let isAdapter = checkpoint.manifest.files.contains {
      $0.name == AdapterConfiguration.weightsName
    }
    guard isAdapter == (lora != nil) else {
      return [
        isAdapter
          ? "it has low-rank maps, not whole weights" : "it has whole weights, not low-rank maps"
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

  /// The name of the term that tells the weights which a run began with; a run whose phase names it is
  /// not gone on with from other ones.
  static let firstWeights = "first weights"

  /// Refuses a checkpoint of a run that began with other weights.
  func requireSameStart(in checkpoint: Checkpoint) throws {
    guard let now = phaseTerms[Self.firstWeights], case .folder(let path) = weights,
      let then = try TrainingState(from: checkpoint).terms[Self.firstWeights], then != now
    else { return }
    throw StartRefusal.otherStart(
      checkpoint: checkpoint.path, from: path, expected: then, found: now)
  }

  /// The settings that decide the bits of the weights, for the start-up contract and for a look at
  /// what a resumed run changed; each is a term of its own, so that only what differs is told.
  public var terms: [String: String] {
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
    ].merging(phaseTerms) { common, _ in common }
  }
}
