import Glibc
import MPI

extension TrainingRun {
  /// Seconds of the waits between the tries of a save without which the run cannot end well.
  private static let pauses: [UInt32] = [1, 2]

  /// Saves this step and returns when its checkpoint is published.
  ///
  /// A loss spike at the last step gets no verdict: the model is saved, and the checkpoints before
  /// it are kept too. Collective.
  ///
  /// - Parameter isNeeded: True when the run ends after it: a save that fails is then tried again.
  /// - Throws: `RankFailure` with a `SaveFailure`, on every rank, when a needed save fails each time;
  ///   `DivergenceGuard.Diverged`, on every rank, when the weights are unsound.
  func saveAndWait(isNeeded: Bool) throws {
    activity.begin(.saving, step: trainer.state.step)
    // No further step compares these weights.
    try trainer.requireEqualWeights()
    try trainer.requireSoundWeights()
    try note(try trainer.hasFault ? cycle.finishOrDiscard() : cycle.finish(), isLast: true)
    if trainer.hasFault {
      try observers.event(
        .warning, step: trainer.state.step,
        "the last step may have diverged: \(trainer.fault ?? ""); the checkpoints before this one are "
          + "kept")
    }
    for pause in Self.pauses + [0] {
      try beginSave(prunes: !trainer.hasFault)
      let progress = try cycle.finish()
      try note(progress, isLast: isNeeded)
      // Only rank 0 knows of a failed publication.
      let failure: SaveFailure? = if case .failed(let failure) = progress { failure } else { nil }
      if try world.broadcast(UInt8(failure == nil ? 1 : 0)) == 1 || !isNeeded { return }
      if pause == 0 { try world.together { if let failure, world.rank == 0 { throw failure } } }
      sleep(pause)
    }
  }

  /// Begins to save this step, unless a save is pending or there is a loss spike.
  ///
  /// Collective.
  func saveIfFree() throws {
    let isFree = try world.broadcast(UInt8(cycle.isBusy ? 0 : 1)) == 1
    owesCheckpoint = isFree && trainer.hasFault
    if isFree && !trainer.hasFault { return try beginSave() }
    try observers.event(
      .checkpointSkipped, step: trainer.state.step,
      isFree
        ? "this step may have diverged: \(trainer.fault ?? ""); the next healthy step is saved"
        : "the previous checkpoint is still being written")
  }

  /// Begins to save this step.
  func beginSave(prunes: Bool = true) throws {
    activity.setSaving(true)
    try cycle.begin(trainer, prunes: prunes)
    savedStep = trainer.state.step
  }

  /// Returns when no save is pending.
  ///
  /// Collective.
  func finishSave() throws {
    activity.begin(.saving, step: trainer.state.step)
    try note(try cycle.finish())
    activity.setSaving(false)
  }

  /// Sets aside the checkpoints since the audit before the one that found `error`: their weights may
  /// come from wrong gradients.
  ///
  /// They stay when they are all that is left of a long run.
  func setUnconfirmedAside(_ error: CorruptedGradient) throws {
    guard world.rank == 0 else { return }
    // A checkpoint that is being published now counts too.
    try cycle.awaitWriter()
    let steps = try folder.checkpoints.publishedSteps()
    guard let newest = steps.max(), newest > error.confirmed else { return }
    if error.confirmed > 0, !steps.contains(where: { $0 <= error.confirmed }) {
      return try observers.event(
        .warning, step: trainer.state.step,
        "no checkpoint is as old as step \(error.confirmed), up to which the gradients are "
          + "confirmed: those that are left may come from wrong ones")
    }
    if let aside = try folder.setCheckpointsAside(after: error.confirmed, attempt: attempt) {
      try observers.event(
        .warning, step: trainer.state.step,
        "checkpoints after step \(error.confirmed), up to which the gradients are confirmed, are now "
          + "in \(aside)")
    }
  }

  /// Reports the progress of a save.
  ///
  /// - Parameter isLast: True when the caller tries again and ends the run itself.
  /// - Throws: `SaveFailure`, on rank 0, when the run has saved nothing for too long.
  func note(_ progress: CheckpointCycle.Progress, isLast: Bool = false) throws {
    let step = trainer.state.step
    switch progress {
    case .none: break
    case .published(let saved, let warning):
      failedSaves.clear()
      let path = folder.checkpoint(step: saved)
      latest = path
      try observers.event(.checkpointSaved, step: saved, "\(path) is published")
      if let warning { try observers.event(.warning, step: saved, warning) }
    case .failed(let failure):
      savedStep = nil
      if world.rank != 0 { return }
      hasLostBest = failure.step == trainer.state.best?.step
      let sentence = isLast ? "\(failure)" : try failedSaves.record(failure, after: step)
      try observers.event(.warning, step: step, sentence)
    }
  }
}
