import Checkpoints
import Configuration
import DataParallel
import Datasets
import Faults
import Files
import Glibc
import MPI
import Models
import Monitoring
import Tensors
import Tokenizers

/// A run of any phase from its plan to its last checkpoint.
///
/// Rank 0 decides when to evaluate, save and stop; its orders are part of the step's control word,
/// so that all ranks act at the same step.
package final class TrainingRun {
  /// The checkpoint that a run resumes from.
  package enum Resume: Sendable, Equatable {
    /// The newest whole checkpoint of the run folder; step 0 without one.
    case auto
    /// The run starts at step 0, and checkpoints of an earlier attempt are set aside.
    case never
    /// The checkpoint in this folder.
    case path(String)
  }

  /// The end of a run.
  package enum Outcome: Sendable, Equatable {
    /// All steps are done.
    case finished
    /// The run was asked to stop; a checkpoint of this step is published.
    case stopped(step: Int)
  }

  let plan: TrainingPlan
  let world: Communicator
  let folder: RunFolder
  let observers: RunObservers
  let trainer: Trainer
  /// The token of this attempt; see `CheckpointStore`.
  let attempt: String
  private let evaluator: (any Evaluator)?
  let cycle: CheckpointCycle
  private let stepsPerIteration: Int
  private let conclude: PreparedPhase.Conclusion
  private let profiler: Profiler?
  /// The host of each rank.
  private let hosts: [String]
  private var stragglers = StragglerDetector()
  private var energy: RunEnergy
  /// The last step of every kind of warning.
  private var lastWarnings: [Substring: Int] = [:]
  /// True when a checkpoint was due at a step that may have diverged.
  var owesCheckpoint = false
  /// The path of the newest published checkpoint.
  var latest: String?
  /// The step of the newest checkpoint of this run, which may still be written.
  var savedStep: Int?
  /// The saves that failed, on rank 0.
  var failedSaves: FailedSaves
  /// True on rank 0 when the checkpoint of the best evaluation could not be saved.
  var hasLostBest = false

  /// Prepares everything up to the first step.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - phase: The phase; the same on every rank.
  ///   - workers: The threads and cores of this rank.
  ///   - observer: Receives the reports on rank 0, beside the metrics file.
  ///   - version: The program's version, part of the start-up contract.
  ///   - profiles: True to profile some steps; see `Profiler`.
  package init(
    _ phase: any Phase, world: Communicator, workers: Cores.Assignment, resume: Resume,
    observer: any RunObserver, version: String, profiles: Bool = false
  ) throws {
    var plan = phase.plan
    self.world = world
    Signals.ignoreClosedPipes()
    folder = RunFolder(plan.run)
    observers = RunObservers(world.rank == 0 ? [observer] : [])
    try plan.contract(version: version, threads: workers.threads, profiles: profiles)
      .agree(over: world)
    let meter = try EnergyMeter(on: world, wattsPerCore: plan.energy.wattsPerCore)
    try world.together { try plan.requireRanks(world.size) }
    let memory = try plan.requireMemory(on: world)
    attempt = try Self.agreeOnAttempt(world)
    // Everything that can refuse this run precedes the claim: another may be under way in the
    // folder.
    let candidate = try Resumption.locate(resume, for: plan, in: folder, world: world)
    let (folder, observers) = (folder, observers)
    try Self.requireRoom(for: plan, in: folder, after: candidate, world: world)
    let prepared = try phase.prepare(
      RunContext(
        folder: folder, world: world, threads: workers.threads,
        note: { try observers.event(.note, $0) }))
    let stepsPerIteration = plan.diloco?.innerSteps ?? prepared.stepsPerIteration
    precondition(
      prepared.stepsPerIteration == 1 || plan.diloco == nil, "rollout iterations with DiLoCo")
    plan.decideSteps(by: prepared.objective, iteration: stepsPerIteration)
    self.plan = plan
    try world.together {
      if let checkpoint = candidate?.checkpoint { try plan.requireStepsLeft(after: checkpoint) }
      try plan.requireValidation(prepared.evaluator != nil)
      if world.rank == 0 {
        try plan.requireRoom(in: folder, after: candidate?.checkpoint)
        try folder.create()
      }
    }
    trainer = try Trainer(
      plan, world: world, workers: workers, objective: prepared.objective,
      frozenModels: prepared.frozenModels, settings: prepared.settings,
      meter: meter, initializesWeights: candidate == nil)
    evaluator = prepared.evaluator
    (self.stepsPerIteration, conclude) = (stepsPerIteration, prepared.conclude)
    cycle = try CheckpointCycle(
      store: folder.checkpoints, attempt: attempt, world: world,
      files: ModelFiles(
        configuration: plan.network, layout: trainer.replicas.layout,
        tokenizer: plan.tokenizer, template: plan.template, published: plan.published,
        base: plan.adapterBase),
      retention: plan.retention, keepsBest: plan.keepsBest)

    let (start, number) = try Resumption.claim(
      resume, candidate: candidate, in: folder, attempt: attempt, world: world,
      observers: observers)
    FaultSchedule.begin(attempt: number)
    if let start { try trainer.restore(from: start) }
    profiler = profiles ? Profiler(world: world, folder: folder) : nil
    let isOwn = try start.map { try Resumption.isOwn($0, of: folder, world: world) } ?? false
    // The best evaluation of another run does not count: its checkpoint is not in this folder.
    if !isOwn { trainer.forgetBest() }
    // An attempt that had no checkpoint yet is one of this run as well.
    let continues = isOwn || start == nil && resume == .auto
    energy = RunEnergy(
      plan.energy,
      earlier: world.rank == 0 && continues ? MetricsFile.energy(in: folder.metrics) : nil,
      tokensSeen: trainer.state.tokensSeen, isOwn: continues)
    failedSaves = FailedSaves(interval: plan.checkpointEvery)
    latest = start?.path
    savedStep = isOwn ? start?.step : nil
    hosts = try world.allGatherV(Array(try Communicator.hostName.utf8))
      .map { String(decoding: $0, as: UTF8.self) }
    try world.together {
      if world.rank != 0 { return }
      try Resumption.setOtherHistoryAside(
        resume, after: isOwn ? start?.step : nil, in: folder, attempt: attempt,
        observers: observers)
      try folder.write(configuration: plan.resolved)
      try writeEnvironment(workers, hosts: hosts, version: version)
      let metrics = try MetricsFile(path: folder.metrics, resumingAfter: start?.step)
      observers.add(metrics)
      cycle.beforePublishing = { try metrics.persist() }
    }
    try announce(from: start, threads: workers.threads, memory: memory)
  }

  /// Runs to the last step, or until a signal requests a stop.
  ///
  /// Collective.
  ///
  /// - Throws: `DivergenceGuard.Diverged`, on every rank, with the last good checkpoint kept; any
  ///   other error possibly on some ranks only, while the others wait.
  package func run() throws -> Outcome {
    Signals.handleStopRequests()
    let watchdog = try startWatchdog()
    defer { end(watchdog) }
    do {
      do { return try train() } catch is StopRequested { return try stopBetweenSteps() }
    } catch {
      Signals.forgetStop()
      // The metrics that led here are needed to find the cause.
      defer { try? observers.finish() }
      if error is DivergenceGuard.Diverged { try note(try cycle.finishOrDiscard(), isLast: true) }
      // A run that takes the folder over removes files of this one.
      if error is StorageError || error is SaveFailure { try cycle.requireClaim() }
      throw error
    }
  }

  private func train() throws -> Outcome {
    let steps = plan.steps
    if trainer.state.step == 0 && evaluator?.evaluatesBeforeTraining == true
      || trainer.owesEvaluation
    {
      let isBest = try evaluate()
      if isBest && plan.keepsBest && trainer.state.step > 0 && savedStep == nil { try beginSave() }
    }
    var requests: ControlWord.Signals = []
    while trainer.state.step < steps && !stopsEarly {
      var word = ControlWord()
      word.signals = Signals.take()
      if world.rank == 0 { word.orders = orders(forStep: trainer.nextAgreement) }
      try cycle.report(in: &word)
      try profiler?.stepBegins(trainer)
      var (reports, words) = try trainer.advance(sending: word, awaitReaders: cycle.awaitCopies)
      energy.count(words, in: &reports[reports.count - 1])
      for report in reports {
        try observers.step(report)
        try warn(of: report)
      }
      if let straggler = stragglers.observe(words) {
        try observers.event(
          .warning, step: trainer.state.step, straggler.sentence(host: hosts[straggler.rank]))
      }
      if let profile = try profiler?.stepEnded(trainer) {
        try observers.profile(profile)
      }
      let hasFault = trainer.hasFault
      try note(try cycle.advance(words, isHealthy: !hasFault))
      trainer.activity.setSaving(cycle.isBusy)
      if words[0].orders.contains(.forgetBest) { trainer.forgetBest() }

      for word in words { requests.formUnion(word.signals) }
      let isBest = try words[0].orders.contains(.evaluate) && evaluate()
      let isLast = trainer.state.step == steps || stopsEarly
      // A request during a loss spike waits for the verdict.
      if isLast
        || !requests.isEmpty && !hasFault && trainer.state.step % stepsPerIteration == 0
      {
        try saveAndWait(isNeeded: isLast || requests.contains(.stop))
        if requests.contains(.stop) && !isLast { return try stop() }
        requests = []
      } else if isBest && plan.keepsBest {
        // These very weights must be saved, so a pending save is finished first.
        try note(try cycle.finish())
        try beginSave()
        owesCheckpoint = false
      } else if words[0].orders.contains(.save)
        || owesCheckpoint && !hasFault && trainer.state.step % stepsPerIteration == 0
      {
        try saveIfFree()
      }
      // The ranks would next hear of the save after a whole round.
      if plan.diloco != nil { try finishSave() }
    }
    if stopsEarly, let best = trainer.state.best {
      try observers.event(
        .note, step: trainer.state.step,
        "stopped early: \(plan.patience ?? 0, "evaluation") without a loss below "
          + "\(best.loss.decimals(4)), that "
          + "of "
          + (best.step == 0
            ? "the model before its first step" : folder.checkpoint(step: best.step)))
    }
    if let warning = trainer.lossWarning {
      try observers.event(.warning, step: trainer.state.step, warning)
    }
    for conclusion in try conclude(trainer.context, world.rank == 0 ? latest : nil) {
      try observers.event(conclusion.kind, step: trainer.state.step, conclusion.sentence)
    }
    try announceEnergy()
    try observers.event(
      .finished, step: trainer.state.step, "the model is in \(latest ?? folder.path)")
    try observers.finish()
    return .finished
  }

  /// True when `earlyStopping.patience` evaluations in a row had no lower loss.
  private var stopsEarly: Bool {
    guard let patience = plan.patience else { return false }
    return trainer.state.evaluationsSinceBest ?? 0 >= patience
  }

  /// Reports a step's warnings, each at most once per log interval.
  private func warn(of report: StepReport) throws {
    // The numbers differ from step to step: the words before them identify the kind of a warning.
    let kinds = report.warnings.map { $0.prefix { $0.isLetter || $0 == " " } }
    for (kind, warning) in zip(kinds, report.warnings) {
      let last = lastWarnings.updateValue(report.step, forKey: kind)
      if let last, report.step - last <= plan.logEvery { continue }
      try observers.event(.warning, step: report.step, warning)
    }
  }

  /// Ends the run where a request to stop interrupted the preparation of a step, or an evaluation.
  ///
  /// A step that may have diverged has no verdict and is not saved.
  private func stopBetweenSteps() throws -> Outcome {
    // No further step compares the weights of a pending save.
    try trainer.requireEqualWeights()
    try note(try trainer.hasFault ? cycle.finishOrDiscard() : cycle.finish(), isLast: true)
    let step = trainer.state.step
    // Only rank 0 knows of a failed publication.
    let isSaved = try world.broadcast(UInt8(step == savedStep ? 1 : 0)) == 1
    if step > 0 && !isSaved && !trainer.hasFault { try saveAndWait(isNeeded: true) }
    return try stop()
  }

  private func stop() throws -> Outcome {
    Signals.forgetStop()
    if let profile = try profiler?.end(trainer) {
      try observers.profile(profile)
    }
    try announceEnergy()
    try observers.event(
      .stopping, step: trainer.state.step,
      trainer.state.step == 0
        ? "a signal requested a stop before the first step, so there is nothing to save; start the "
          + "same command again"
        : "a signal requested a stop; the same command with --resume auto resumes from "
          + (trainer.hasFault ? "the newest checkpoint: \(trainer.fault ?? "")" : "here"))
    try observers.finish()
    return .stopped(step: trainer.state.step)
  }

  /// Reports the energy of the run so far.
  ///
  /// Collective.
  private func announceEnergy() throws {
    let sentence = try energy.conclude(
      trainer.takeEnergy(), tokensSeen: trainer.state.tokensSeen, over: world)
    if trainer.state.step > 0 { try observers.event(.note, step: trainer.state.step, sentence) }
  }

  /// Returns rank 0's orders for the end of `step`.
  private func orders(forStep step: Int) -> ControlWord.Orders {
    var orders: ControlWord.Orders = []
    // Due at the first iteration boundary at or after the requested step.
    let isDue = { [stepsPerIteration] (every: Int) in
      every > 0 && step % stepsPerIteration == 0
        && step / every != (step - stepsPerIteration) / every
    }
    if evaluator != nil && (isDue(plan.evaluateEvery) || step == plan.steps) {
      orders.insert(.evaluate)
    }
    if hasLostBest { orders.insert(.forgetBest) }
    hasLostBest = false
    let isRetry = failedSaves.retry.map { step >= $0 && step % stepsPerIteration == 0 } ?? false
    if isDue(plan.checkpointEvery) || isRetry && !cycle.isBusy { orders.insert(.save) }
    return orders
  }

  /// Evaluates the model, reports the result, and records the best evaluation.
  ///
  /// Collective.
  ///
  /// - Returns: True when this is the best evaluation so far.
  /// - Throws: `DivergenceGuard.Diverged`, on every rank, when the loss is not finite.
  @discardableResult
  private func evaluate() throws -> Bool {
    guard let evaluator else { return false }
    var clock = Stopwatch()
    trainer.activity.begin(.evaluation, step: trainer.state.step)
    FaultSchedule.reach(.evaluation, step: trainer.state.step)
    // An evaluation that a request to stop interrupts is made when the run resumes.
    trainer.owesEvaluation = true
    let result = try evaluator.evaluate(trainer.context)
    trainer.owesEvaluation = false
    let step = trainer.state.step
    guard result.loss.isFinite else {
      throw DivergenceGuard.Diverged(step: step, "validation loss", is: result.loss)
    }
    var report = EvaluationReport(
      step: step, validationLoss: result.loss, bitsPerByte: result.bitsPerByte,
      tokens: result.tokens, seconds: clock.lap(), figures: result.figures,
      isBest: trainer.isBest(result.loss))
    report.lossName = result.lossName
    try observers.evaluation(report)
    if let note = result.note { try observers.event(.note, step: step, note) }
    return report.isBest
  }
}
