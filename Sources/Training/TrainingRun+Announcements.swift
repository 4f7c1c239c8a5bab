import Checkpoints
import DataParallel
import Files
import Monitoring
import Tensors

extension TrainingRun {
  /// Reports the sizes of the run, micro-batches that would exceed the `memory` of this rank if their
  /// rows were full, idle threads, and what changed since `start`.
  func announce(from start: Checkpoint?, threads: Int, memory: Int) throws {
    let layout = trainer.replicas.layout
    let (workers, team) = (trainer.replicas.plan.threads, trainer.replicas.plan.team)
    let epochs = trainer.epochs
    try observers.event(
      .started, step: trainer.state.step,
      "\(layout.parameterCount) trained parameters, products in \(plan.precision.rawValue), "
        + "\(world.size, "rank") × "
        + (team == 1
          ? "\(workers, "thread"), " : "\(workers, "team", "teams") of \(team) threads, ")
        + "\(plan.microBatches * plan.rows, "sequence") (at most \(plan.tokensPerStep, "token")) "
        + "per step, \(epochs.decimals(epochs < 0.1 ? 4 : epochs < 100 ? 2 : 0)) epochs in total")
    let full = plan.memory(ranks: world.size, threads: workers)
    if !plan.hasFullRows && full > memory {
      try observers.event(
        .warning,
        "micro-batches of \(plan.rows, "row") as long as the context of \(plan.context) tokens would "
          + "need about \(full >> 20) MiB of memory on each rank, and \(memory >> 20) MiB are "
          + "available to it: lower batch.sequences or model.context if there are such texts")
    }
    for note in plan.startNotes { try observers.event(.warning, note) }
    if plan.precision == .bf16 && !MatrixLibrary.cpuIsFasterInBF16 {
      try observers.event(
        .warning,
        "this CPU is not faster in bf16 than in fp32: precision: bf16 saves memory here, not time"
      )
    }
    let (warmup, steps) = (plan.schedule.warmup, plan.steps)
    if warmup > steps {
      try observers.event(
        .warning,
        "the learning rate does not reach \(plan.schedule.peak): schedule.warmup has "
          + "\(warmup, "step") and the run \(steps); lower it")
    } else if plan.schedule.warmupLeavesNoDecay {
      try observers.event(
        .warning,
        "the learning rate does not decay: schedule.warmup has \(warmup, "step") and the run "
          + "\(steps); lower it")
    }
    let (leaves, ranks) = plan.gradientDivision(ranks: world.size)
    let idle = threads - workers * team
    if idle > 0 {
      try observers.event(
        .warning,
        "\(idle) of \(threads) threads per rank \(idle == 1 ? "is" : "are") idle: they cannot be "
          + "divided evenly among \(workers, "worker")")
    }
    let all = ranks * workers
    if all > leaves {
      try observers.event(
        .warning,
        "\(all - leaves) of \(all) workers \(all - leaves == 1 ? "is" : "are") idle: a step has "
          + "\(leaves, "micro-batch", "micro-batches"), raise batch.microBatches")
    }
    if let start {
      try observers.event(.resumed, step: start.step, "resuming from \(start.path)")
      let saved = try TrainingState(from: start).settings
      let settings = trainer.state.settings
      // Settings that a checkpoint of an earlier release lacks are not compared.
      let changed = settings.keys.sorted().filter { saved[$0] != nil && saved[$0] != settings[$0] }
      if !changed.isEmpty {
        let effect =
          start.step == steps
          ? "changed since the last checkpoint, and no step is left to train with it (--resume never "
            + "trains anew): "
          : "changed since the checkpoint, so the bits will differ from an uninterrupted run: "
        try observers.event(
          .warning, step: start.step,
          effect
            + changed.map { "\($0) \(saved[$0] ?? "") → \(settings[$0] ?? "")" }
            .joined(separator: "; "))
      }
    }
  }

  /// Reports a step's warnings, each at most once per log interval.
  func warn(of report: StepReport) throws {
    // The numbers differ from step to step: the words before them identify the kind of a warning.
    let kinds = report.warnings.map { $0.prefix { $0.isLetter || $0 == " " } }
    for (kind, warning) in zip(kinds, report.warnings) {
      let last = lastWarnings.updateValue(report.step, forKey: kind)
      if let last, report.step - last <= plan.logEvery { continue }
      try observers.event(.warning, step: report.step, warning)
    }
  }

  /// Reports the energy of the run so far, if this attempt has added a step to it.
  ///
  /// Collective.
  func announceEnergy() throws {
    let sentence = try energy.conclude(
      trainer.takeEnergy(), tokensSeen: trainer.state.tokensSeen, over: world)
    if energy.hasCounted { try observers.event(.note, step: trainer.state.step, sentence) }
  }
}
