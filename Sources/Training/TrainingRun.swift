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

/// A run of any phase from its plan to its last checkpoint.
///
/// Rank 0 decides when to evaluate, save and stop; its orders ride with the step's control word, so
/// all ranks act at the same step.
public final class TrainingRun {
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
  private let evaluator: (any Evaluator)?
  private let cycle: CheckpointCycle
  private let period: Int
  private let conclude: (Trainer, String?) throws -> [EventReport]
  private let profiler: Profiler?
  /// What was not well, and the last step in which it was not.
  private var findings: [Substring: Int] = [:]
  /// The newest checkpoint that is known to be whole.
  private var latest: String?

  /// Prepares everything up to the first step.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - phase: What to do; the same on every rank.
  ///   - world: All ranks.
  ///   - workers: This rank's workers.
  ///   - resume: Where to begin.
  ///   - observer: Who is told on rank 0, beside the metrics file.
  ///   - version: The program's version, part of the start-up contract.
  ///   - profiles: Whether to look at some steps in detail; see `Profiler`.
  public init(
    _ phase: any Phase, world: Communicator, workers: Cores.Assignment, resume: Resume,
    observer: any RunObserver, version: String, profiles: Bool = false
  ) throws {
    let plan = phase.plan
    self.plan = plan
    self.world = world
    Signals.noteSaves()
    folder = RunFolder(plan.options.run)
    observers = RunObservers(world.rank == 0 ? [observer] : [])
    try StartContract(
      [("program", version)] + plan.lines
        + plan.terms.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        + [
          ("parameter layout", "\(plan.layoutDigest)"),
          ("threads", "\(workers.threads)"), ("--profile", "\(profiles)"),
          ("MPI library", MPIEnvironment.libraryVersion),
        ]
    ).agree(over: world)

    let attempt = try Self.agreeOnAttempt(world)
    // What refuses this run comes before the claim: another may be under way in the folder.
    let seen = try Resumption.look(resume, for: plan, in: folder, world: world)
    let (folder, observers) = (folder, observers)
    let work = try phase.prepare(
      PhaseSite(
        folder: folder, world: world, threads: workers.threads,
        note: { try observers.event(EventReport(.note, $0)) }))
    try world.together { if world.rank == 0 { try folder.create() } }
    trainer = try Trainer(
      plan, world: world, workers: workers, objective: work.objective,
      companions: work.companions, begins: seen == nil)
    evaluator = work.evaluator
    (period, conclude) = (work.period, work.conclude)
    trainer.state.terms.merge(work.terms) { _, own in own }
    cycle = try CheckpointCycle(
      store: folder.checkpoints, attempt: attempt, world: world,
      files: ModelFiles(
        configuration: plan.network.configuration, layout: trainer.replicas.layout,
        tokenizer: plan.tokenizer, template: plan.template, base: plan.adapterBase),
      retention: plan.retention, keepsBest: plan.options.keepBest)

    let start = try Resumption.claim(
      resume, seen: seen, in: folder, attempt: attempt, world: world, observers: observers)
    if let start { try trainer.restore(from: start) }
    profiler = profiles ? Profiler(world: world, folder: folder) : nil
    let isOwn = try start.map { try Resumption.isOwn($0, of: folder, world: world) } ?? false
    // The best of another run decides nothing here: its checkpoint is not in this folder.
    if !isOwn { trainer.state.best = nil }
    latest = start?.path
    let hosts = try world.allGatherV(Array(try Communicator.hostName.utf8))
      .map { String(decoding: $0, as: UTF8.self) }
    try world.together {
      if world.rank != 0 { return }
      try Resumption.leaveOtherHistory(
        resume, after: isOwn ? start?.step : nil, in: folder, attempt: attempt,
        observers: observers)
      try folder.write(configuration: plan.resolved)
      try writeEnvironment(workers, hosts: hosts, version: version)
      let metrics = try MetricsFile(path: folder.metrics, resumingAfter: start?.step)
      observers.add(metrics)
      cycle.beforePublishing = { try metrics.persist() }
    }
    try announce(from: start, threads: workers.threads)
  }

  /// Runs to the end, or until somebody asks it to stop.
  ///
  /// Collective.
  ///
  /// - Throws: `DivergenceGuard.Diverged`, on every rank, with the last good checkpoint kept;
  ///   anything else on some ranks only, while the others wait.
  public func run() throws -> Outcome {
    Signals.noteStops()
    do {
      return try train()
    } catch {
      // What led here is what people will want to see.
      defer { try? observers.finish() }
      if error is DivergenceGuard.Diverged, let saved = try cycle.settle() {
        try announceSave(saved)
      }
      throw error
    }
  }

  private func train() throws -> Outcome {
    let steps = plan.options.steps
    if trainer.state.step == 0 && evaluator?.measuresStart == true { try evaluate() }
    var asked: ControlWord.Signals = []
    while trainer.state.step < steps {
      var word = ControlWord()
      word.signals = Signals.take()
      if world.rank == 0 { word.orders = orders(forStep: trainer.state.step + 1) }
      try cycle.report(in: &word)
      try profiler?.stepBegins(trainer)
      let (report, words) = try trainer.step(telling: word)
      try observers.step(report)
      try warn(of: report)
      if let profile = try profiler?.stepEnded(trainer) { try observers.profile(profile) }
      let isSuspicious = trainer.isSuspicious
      if let saved = try cycle.absorb(words, isSound: !isSuspicious) { try announceSave(saved) }

      for word in words { asked.formUnion(word.signals) }
      let isBest = try words[0].orders.contains(.evaluate) && evaluate()
      let isLast = trainer.state.step == steps
      // What was asked during a spike waits for its verdict, two more steps at most.
      if isLast || !asked.isEmpty && !isSuspicious && trainer.state.step % period == 0 {
        try saveAndWait()
        if asked.contains(.stop) && !isLast { return try stop() }
        asked = []
      } else if isBest && plan.options.keepBest {
        // The best is these very weights: a save under way is waited for.
        if let saved = try cycle.finish() { try announceSave(saved) }
        try cycle.begin(trainer)
      } else if words[0].orders.contains(.save) {
        try saveIfFree()
      }
    }
    for var conclusion in try conclude(trainer, world.rank == 0 ? latest : nil) {
      conclusion.step = trainer.state.step
      try observers.event(conclusion)
    }
    try observers.event(
      EventReport(
        .finished, step: trainer.state.step, "the model is in \(latest ?? folder.path)"))
    try observers.finish()
    return .finished
  }

  /// Tells what is not well in a step, unless it was no better within the steps of a log line before.
  private func warn(of report: StepReport) throws {
    // The numbers differ from step to step: what is found is told apart by its first words.
    let kinds = report.findings.map { $0.prefix { $0.isLetter || $0 == " " } }
    for (kind, finding) in zip(kinds, report.findings) {
      let last = findings.updateValue(report.step, forKey: kind)
      if let last, report.step - last <= plan.options.logEvery { continue }
      try observers.event(EventReport(.warning, step: report.step, finding))
    }
  }

  /// Saves this step and returns when it is safe.
  ///
  /// A spike at the last step has no verdict: the model is kept, and the checkpoints before it too.
  private func saveAndWait() throws {
    let pending = try trainer.isSuspicious ? cycle.settle() : cycle.finish()
    if let pending { try announceSave(pending) }
    if trainer.isSuspicious {
      try observers.event(
        EventReport(
          .warning, step: trainer.state.step,
          "the last loss was unusually high; the checkpoints before this one are kept"))
    }
    try cycle.begin(trainer, prunes: !trainer.isSuspicious)
    if let saved = try cycle.finish() { try announceSave(saved) }
  }

  /// Begins to save this step, unless the save before it is not done or the loss is suspicious.
  private func saveIfFree() throws {
    let isFree = try world.broadcast(UInt8(cycle.isBusy ? 0 : 1)) == 1
    if isFree && !trainer.isSuspicious { return try cycle.begin(trainer) }
    try observers.event(
      EventReport(
        .checkpointSkipped, step: trainer.state.step,
        isFree
          ? "the loss is unusually high; nothing is saved until it is known why"
          : "the checkpoint before it is still being written"))
  }

  private func stop() throws -> Outcome {
    if let profile = try profiler?.end(trainer) { try observers.profile(profile) }
    try observers.event(
      EventReport(
        .stopping, step: trainer.state.step,
        "asked to stop; the same command with --resume auto goes on from here"))
    try observers.finish()
    return .stopped(step: trainer.state.step)
  }

  /// What rank 0 wants done after `step`.
  private func orders(forStep step: Int) -> ControlWord.Orders {
    let options = plan.options
    var orders: ControlWord.Orders = []
    // At the first moment at or after the step, when moments are further apart than steps.
    let isDue = { [period] (every: Int) in
      every > 0 && step % period == 0 && step / every != (step - period) / every
    }
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
  /// - Throws: `DivergenceGuard.Diverged`, on every rank, when the loss is no number.
  @discardableResult
  private func evaluate() throws -> Bool {
    guard let evaluator else { return false }
    let (report, note) = try evaluator.evaluate(trainer)
    guard report.validationLoss.isFinite else {
      throw DivergenceGuard.Diverged(
        step: report.step, "validation loss", is: report.validationLoss)
    }
    if report.isBest {
      trainer.state.best = .init(step: report.step, loss: report.validationLoss)
    }
    try observers.evaluation(report)
    if let note { try observers.event(EventReport(.note, step: report.step, note)) }
    return report.isBest
  }

  private func announce(from start: Checkpoint?, threads: Int) throws {
    let layout = trainer.replicas.layout
    let (workers, team) = (trainer.replicas.plan.threads, trainer.replicas.plan.team)
    try observers.event(
      EventReport(
        .started, step: trainer.state.step,
        "\(layout.parameterCount) parameters in \(plan.precision.rawValue), "
          + "\(world.size) \(world.size == 1 ? "rank" : "ranks") × "
          + "\(workers) \(team == 1 ? "threads" : "teams of \(team) threads"), "
          + "\(plan.tokensPerStep) tokens a step, "
          + "\((trainer.epochs * 100).rounded() / 100) epochs in all"))
    if plan.precision == .bf16 && !MatrixLibrary.hasHalfProducts {
      try observers.event(
        EventReport(
          .warning,
          "this CPU is not quicker in bf16 than in fp32: precision: bf16 saves memory here, not time"
        ))
    }
    let (warmup, steps) = (plan.options.warmup, plan.options.steps)
    if warmup > steps {
      try observers.event(
        EventReport(
          .warning,
          "the learning rate does not reach \(plan.options.learningRate): schedule.warmup has "
            + "\(warmup) steps and the run \(steps)"))
    }
    let leaves = plan.leaves
    let idle = threads - workers * team
    if idle > 0 {
      try observers.event(
        EventReport(
          .warning,
          "\(idle) of \(threads) threads a rank have nothing to do: they do not divide among "
            + "\(workers) micro-batches at a time"))
    }
    let all = world.size * workers
    if all > leaves {
      try observers.event(
        EventReport(
          .warning,
          "\(all - leaves) of \(all) workers have nothing to do: a step has \(leaves) "
            + "micro-batches, raise batch.microBatches"))
    }
    if let start {
      try observers.event(
        EventReport(.resumed, step: start.step, "going on from \(start.path)"))
      let saved = try TrainingState(from: start).terms
      let terms = trainer.state.terms
      // A checkpoint of an earlier release may lack some: nobody knows whether they changed.
      let changed = terms.keys.sorted().filter { saved[$0] != nil && saved[$0] != terms[$0] }
      if !changed.isEmpty {
        try observers.event(
          EventReport(
            .warning, step: start.step,
            "changed since the checkpoint, so the bits will differ from an uninterrupted run: "
              + changed.map { "\($0) \(saved[$0] ?? "") → \(terms[$0] ?? "")" }
              .joined(separator: "; ")))
      }
    }
  }

  private func announceSave(_ step: Int) throws {
    let path = folder.checkpoint(step: step)
    latest = path
    try observers.event(EventReport(.checkpointSaved, step: step, "\(path) is safe"))
  }

  private func writeEnvironment(_ workers: Cores.Assignment, hosts: [String], version: String)
    throws
  {
    try RunEnvironment(
      versions: [
        "apus": version, "matrixLibrary": MatrixLibrary.description,
        "mpi": MPIEnvironment.libraryVersion, "cLibrary": MatrixLibrary.mathVersion,
      ],
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
