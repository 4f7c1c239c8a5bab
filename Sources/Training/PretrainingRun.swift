import Checkpoints
import Configuration
import DataParallel
import Datasets
import Glibc
import MPI
import Models
import Monitoring
import Tensors
import Tokenizers

/// A pretraining run from its plan to its last checkpoint.
///
/// Rank 0 decides when to evaluate, save and stop; its orders ride with the step's control word, so
/// all ranks act at the same step.
public final class PretrainingRun {
  /// Where a run begins.
  public enum Resume: Sendable, Equatable {
    /// The newest whole checkpoint of the run folder, or the start.
    case auto
    /// The start; checkpoints of an earlier attempt are set aside.
    case never
    /// This checkpoint folder.
    case path(String)
  }

  /// How a run ended.
  public enum Outcome: Sendable, Equatable {
    /// All steps are done.
    case finished
    /// It was asked to stop; a checkpoint of this step is safe.
    case stopped(step: Int)
  }

  private let plan: TrainingPlan
  private let world: Communicator
  private let folder: RunFolder
  private let observers: RunObservers
  private let trainer: Trainer
  private let evaluator: Evaluator?
  private let cycle: CheckpointCycle

  /// Prepares everything up to the first step.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - plan: What to do; the same on every rank.
  ///   - world: All ranks.
  ///   - workers: This rank's workers.
  ///   - resume: Where to begin.
  ///   - observer: Who is told on rank 0, beside the metrics file.
  ///   - version: The program's version, part of the start-up contract.
  public init(
    _ plan: TrainingPlan, world: Communicator, workers: Cores.Assignment, resume: Resume,
    observer: any RunObserver, version: String
  ) throws {
    self.plan = plan
    self.world = world
    folder = RunFolder(plan.options.run)
    observers = RunObservers(world.rank == 0 ? [observer] : [])
    try StartContract(
      [("program", version), ("configuration", plan.resolved)]
        + plan.terms.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        + [
          ("parameter layout", "\(plan.model.layout.fingerprint)"),
          ("threads", "\(workers.threads)"),
        ]
    ).agree(over: world)

    let attempt = try Self.agreeOnAttempt(world)
    if world.rank == 0 { try folder.create(configuration: plan.resolved) }
    let observers = observers
    let data = try RunData.open(
      plan, folder: folder, world: world, threads: workers.threads
    ) { try observers.event(EventReport(.note, $0)) }
    trainer = try Trainer(plan, world: world, workers: workers, tokens: data.train.tokens)
    evaluator =
      data.validation.tokens.count > 0
      ? try Evaluator(plan, tokens: data.validation.tokens) : nil
    cycle = CheckpointCycle(
      store: folder.checkpoints, attempt: attempt, world: world,
      files: ModelFiles(
        configuration: plan.model, layout: trainer.replicas.layout, tokenizer: plan.tokenizer),
      retention: plan.retention, keepsBest: plan.options.keepBest)

    let start = try Resumption.find(
      resume, in: folder, attempt: attempt, world: world, observers: observers)
    if let start { try trainer.restore(from: start) }
    let hosts = try world.allGatherV(Array(try Communicator.hostName.utf8))
      .map { String(decoding: $0, as: UTF8.self) }
    if world.rank == 0 {
      try writeEnvironment(workers, hosts: hosts, version: version)
      observers.add(try MetricsFile(path: folder.metrics, resumingAfter: start?.step))
    }
    try announce(from: start)
  }

  /// Runs to the end, or until somebody asks it to stop.
  ///
  /// Collective.
  public func run() throws -> Outcome {
    Signals.listen()
    let steps = plan.options.steps
    if trainer.state.step == 0 && plan.writesStories { try evaluate() }
    var wantsSave = false
    while trainer.state.step < steps {
      var word = ControlWord()
      word.signals = Signals.take()
      if world.rank == 0 { word.orders = try orders(forStep: trainer.state.step + 1) }
      try cycle.report(in: &word)
      let (report, words) = try trainer.step(telling: word)
      try observers.step(report)
      if let saved = try cycle.absorb(words) { try announceSave(saved) }

      let signals = words.reduce(into: ControlWord.Signals()) { $0.formUnion($1.signals) }
      if words[0].orders.contains(.evaluate) { wantsSave = try evaluate() && plan.options.keepBest }
      let isLast = trainer.state.step == steps
      let stops = signals.contains(.stop)
      if isLast || stops || signals.contains(.save) {
        if trainer.isSuspicious { continue }
        if let saved = try cycle.finish() { try announceSave(saved) }
        try cycle.begin(trainer)
        if let saved = try cycle.finish() { try announceSave(saved) }
        if stops && !isLast { return try stop() }
      } else if words[0].orders.contains(.save) || wantsSave {
        // A best model found while a save is under way is kept at the next occasion.
        let isFree = try world.broadcast(UInt8(cycle.isBusy ? 0 : 1)) == 1
        if isFree && !trainer.isSuspicious {
          try cycle.begin(trainer)
          wantsSave = false
        } else if world.rank == 0 && !isFree && words[0].orders.contains(.save) {
          try observers.event(
            EventReport(
              .checkpointSkipped, step: trainer.state.step,
              "the checkpoint before it is still being written"))
        }
      }
    }
    try observers.event(
      EventReport(
        .finished, step: trainer.state.step,
        "the model is in \(folder.checkpoints.path)/\(Self.folderName(trainer.state.step))"))
    try observers.finish()
    return .finished
  }

  private func stop() throws -> Outcome {
    try observers.event(
      EventReport(
        .stopping, step: trainer.state.step,
        "asked to stop; the same command goes on from here"))
    try observers.finish()
    return .stopped(step: trainer.state.step)
  }

  /// What rank 0 wants done after `step`.
  private func orders(forStep step: Int) throws -> ControlWord.Orders {
    let options = plan.options
    var orders: ControlWord.Orders = []
    let isDue = { (every: Int) in every > 0 && step % every == 0 }
    if evaluator != nil && (isDue(options.evaluateEvery) || step == options.steps) {
      orders.insert(.evaluate)
    }
    if isDue(options.checkpointEvery) { orders.insert(.save) }
    return orders
  }

  /// Evaluates, reports, and remembers the best.
  ///
  /// Collective.
  ///
  /// - Returns: Whether the model was never better.
  @discardableResult
  private func evaluate() throws -> Bool {
    guard let evaluator else { return false }
    let (report, story) = try evaluator.evaluate(trainer)
    if report.isBest {
      trainer.state.best = .init(step: report.step, loss: report.validationLoss)
    }
    try observers.evaluation(report)
    if let story { try observers.event(EventReport(.note, step: report.step, "story: \(story)")) }
    return report.isBest
  }

  private func announce(from start: Checkpoint?) throws {
    let layout = trainer.replicas.layout
    try observers.event(
      EventReport(
        .started, step: trainer.state.step,
        "\(layout.parameterCount) parameters, \(world.size) ranks × "
          + "\(trainer.replicas.plan.threads) threads, \(plan.tokensPerStep) tokens a step"))
    if let start {
      try observers.event(
        EventReport(.resumed, step: start.step, "going on from \(start.path)"))
      let saved = try TrainingState(from: start).terms
      let changed = plan.terms.keys.sorted().filter { saved[$0] != plan.terms[$0] }
      if !changed.isEmpty {
        try observers.event(
          EventReport(
            .warning, step: start.step,
            "changed since the checkpoint, so the bits will differ from an uninterrupted run: "
              + changed.map { "\($0) \(saved[$0] ?? "absent") → \(plan.terms[$0] ?? "absent")" }
              .joined(separator: "; ")))
      }
    }
  }

  private func announceSave(_ step: Int) throws {
    try observers.event(
      EventReport(
        .checkpointSaved, step: step,
        "\(folder.checkpoints.path)/\(Self.folderName(step)) is safe"))
  }

  private static func folderName(_ step: Int) -> String {
    "step-" + String(repeating: "0", count: max(0, 8 - "\(step)".count)) + "\(step)"
  }

  private func writeEnvironment(_ workers: Cores.Assignment, hosts: [String], version: String)
    throws
  {
    try RunEnvironment(
      versions: ["apus": version, "matrixLibrary": MatrixLibrary.description],
      hosts: hosts, ranks: world.size, threads: workers.threads,
      fields: ["kernels": .string(MatrixLibrary.kernelLevel)]
    ).write(to: folder.environment)
  }

  /// A name for this attempt that no other attempt has, the same on every rank.
  ///
  /// Collective.
  private static func agreeOnAttempt(_ world: Communicator) throws -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let name = "\(now.tv_sec)-\(now.tv_nsec)-\(getpid())"
    return String(decoding: try world.broadcast(Array(name.utf8)), as: UTF8.self)
  }
}
