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
  /// The work of this rank, for the watchdog.
  var activity: RankActivity { watch.activity }
  private let watch: RunWatch
  /// The token of this attempt; see `CheckpointStore`.
  var attempt: String { watch.attempt }
  let evaluator: (any Evaluator)?
  let cycle: CheckpointCycle
  let stepsPerIteration: Int
  private let conclude: PreparedPhase.Conclusion
  private let profiler: Profiler?
  /// The host of each rank.
  private let hosts: [String]
  private var stragglers = StragglerDetector()
  var energy: RunEnergy
  /// The metrics file, on rank 0.
  private(set) var metrics: MetricsFile?
  /// The last step of every kind of warning.
  var lastWarnings: [Substring: Int] = [:]
  /// Requests of all ranks that wait for a step at which they can be met.
  private var requests: ControlWord.Signals = []
  /// This rank's requests in a control word whose step has not returned.
  private var unansweredSignals: ControlWord.Signals = []
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
    watch = try RunWatch(in: folder, limit: plan.watchdogLimit, world: world)
    FaultSchedule.reach(.preparation)
    try plan.contract(version: version, threads: workers.threads, profiles: profiles)
      .agree(over: world)
    let meterClock = Stopwatch()
    let meter = try EnergyMeter(on: world, wattsPerCore: plan.energy.wattsPerCore)
    try world.together { try plan.requireRanks(world.size) }
    let memory = try plan.requireMemory(on: world)
    // Everything that can refuse this run precedes the claim: another may be under way in the
    // folder.
    let candidate = try Resumption.locate(resume, for: plan, in: folder, world: world)
    let (folder, observers) = (folder, observers)
    try Self.requireRoom(for: plan, in: folder, after: candidate, world: world)
    try BurnIn.run(
      seconds: plan.audit.burnIn, in: plan.precision, on: workers, of: world, observers: observers)
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
      try plan.requireWholeIterations(of: prepared.stepsPerIteration)
      try plan.requireValidation(prepared.evaluator != nil)
      if world.rank == 0 {
        try plan.requireRoom(in: folder, after: candidate?.checkpoint)
        try folder.create()
      }
    }
    trainer = try Trainer(
      plan, world: world, workers: workers, objective: prepared.objective,
      activity: watch.activity, frozenModels: prepared.frozenModels, settings: prepared.settings,
      meter: meter, initializesWeights: candidate == nil)
    evaluator = prepared.evaluator
    (self.stepsPerIteration, conclude) = (stepsPerIteration, prepared.conclude)
    cycle = try CheckpointCycle(
      store: folder.checkpoints, attempt: watch.attempt, world: world,
      files: ModelFiles(
        configuration: plan.network, layout: trainer.replicas.layout,
        tokenizer: plan.tokenizer, template: plan.template, published: plan.published,
        base: plan.adapterBase),
      retention: plan.retention, keepsBest: plan.keepsBest, limit: plan.watchdogLimit)

    let (start, number) = try Resumption.claim(
      resume, candidate: candidate, in: folder, attempt: watch.attempt, world: world,
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
      tokensSeen: trainer.state.tokensSeen, isOwn: continues, clock: meterClock)
    if !isOwn { trainer.state.firstStep = start?.step }
    let recorded = try Self.recordedSkips(
      of: trainer, in: folder, isContinued: continues && resume == .auto, world: world,
      observers: observers)
    trainer.skips = recorded
    failedSaves = FailedSaves(interval: plan.checkpointEvery)
    latest = start?.path
    savedStep = isOwn ? start?.step : nil
    hosts = try world.allGatherV(Array(try Communicator.hostName.utf8))
      .map { String(decoding: $0, as: UTF8.self) }
    try world.together {
      if world.rank != 0 { return }
      try Resumption.setOtherHistoryAside(
        resume, after: isOwn ? start?.step : nil, in: folder, attempt: watch.attempt,
        observers: observers)
      try folder.write(configuration: plan.resolved)
      try SkipFile(recorded, settings: trainer.state.settings).write(to: folder)
      try writeEnvironment(workers, hosts: hosts, version: version)
      let metrics = try MetricsFile(path: folder.metrics, resumingAfter: start?.step)
      observers.add(metrics)
      self.metrics = metrics
      cycle.beforePublishing = { try metrics.persist() }
    }
    cycle.oldestNeeded = plan.oldestNeeded(stepsPerIteration: stepsPerIteration)
    try announce(from: start, threads: workers.threads, memory: memory)
    try announceComingSkips()
  }

  /// Runs to the last step, or until a signal requests a stop.
  ///
  /// Collective.
  ///
  /// - Throws: `DivergenceGuard.Diverged`, on every rank, with the last good checkpoint kept; any
  ///   other error possibly on some ranks only, while the others wait.
  package func run() throws -> Outcome {
    Signals.handleStopRequests()
    defer { watch.end() }
    try watch.begin(after: cycle.requireClaim)
    do {
      while true {
        do {
          return try train()
        } catch is StopRequested {
          return try stopBetweenSteps()
        } catch let diverged as DivergenceGuard.Diverged {
          try rollBack(after: diverged)
        }
      }
    } catch {
      Signals.forgetStop()
      // The metrics that led here are needed to find the cause.
      defer { try? observers.finish() }
      if let error = error as? CorruptedGradient { try setUnconfirmedAside(error) }
      if error is DivergenceGuard.Diverged { try note(try cycle.finishOrDiscard(), isLast: true) }
      // A run that takes the folder over removes files of this one.
      if error is StorageError || error is SaveFailure { try cycle.requireClaim() }
      throw error
    }
  }

  private func train() throws -> Outcome {
    let steps = plan.steps
    try saveStartOfRollbacks()
    if trainer.state.step == 0 && evaluator?.evaluatesBeforeTraining == true
      || trainer.owesEvaluation
    {
      let isBest = try evaluate()
      if isBest && plan.keepsBest && trainer.state.step > 0 && savedStep == nil { try beginSave() }
    }
    while trainer.state.step < steps && !stopsEarly {
      let before = trainer.state.step
      let skipped = trainer.skips.entry(at: before + 1)
      let next = min(skipped?.last ?? trainer.nextAgreement, steps)
      unansweredSignals.formUnion(Signals.take())
      var word = ControlWord()
      word.signals = unansweredSignals
      if world.rank == 0 { word.orders = orders(forStep: next, after: before) }
      try cycle.report(in: &word)
      let words =
        if let skipped { try passOver(skipped, to: next, sending: word) } else {
          try takeStep(sending: word)
        }
      unansweredSignals = []
      let hasFault = trainer.hasFault
      try note(try cycle.advance(words, isHealthy: skipped == nil && !hasFault))
      activity.setSaving(cycle.isBusy)
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
    try announceSkips()
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

  /// Computes one step and reports it; returns the control words of all ranks.
  ///
  /// Collective.
  private func takeStep(sending word: ControlWord) throws -> [ControlWord] {
    try profiler?.stepBegins(trainer)
    var (reports, words) = try trainer.advance(sending: word, awaitReaders: cycle.awaitCopies)
    energy.count(words, in: &reports[reports.count - 1])
    for report in reports {
      try observers.step(report)
      try warn(of: report)
      if report.skipped != nil { try noteSkip() }
    }
    if let refusal = trainer.replicas.takeSharingRefusal() {
      try observers.event(
        .warning, step: trainer.state.step,
        "ranks of one host exchange messages in place of shared memory, which is slower: \(refusal)"
      )
    }
    if let straggler = stragglers.observe(words) {
      try observers.event(
        .warning, step: trainer.state.step, straggler.sentence(host: hosts[straggler.rank]))
    }
    if let profile = try profiler?.stepEnded(trainer) {
      try observers.profile(profile)
    }
    return words
  }

  /// True when `earlyStopping.patience` evaluations in a row had no lower loss.
  private var stopsEarly: Bool {
    guard let patience = plan.patience else { return false }
    return trainer.state.evaluationsSinceBest ?? 0 >= patience
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
    if step > 0 && !isSaved && !trainer.hasFault && trainer.hasFiniteWeights {
      try saveAndWait(isNeeded: true)
    }
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

  /// Returns rank 0's orders for the end of `step`, which follows that of `previous`, or of one that
  /// the run passes to from there.
  private func orders(forStep step: Int, after previous: Int) -> ControlWord.Orders {
    var orders: ControlWord.Orders = []
    // Due at the first iteration boundary at or after the requested step.
    let isDue = { [stepsPerIteration] (every: Int) in
      every > 0 && step % stepsPerIteration == 0
        && step / every != min(previous, step - stepsPerIteration) / every
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
}
