import Checkpoints
import Faults
import Files
import Foundation
import MPI
import Monitoring

/// The steps that a run skips, and the return to a step before a loss spike.
extension TrainingRun {
  /// Returns the steps that the run skips, from the checkpoint that it resumes from, from the record
  /// in the folder of a run that is continued, and from the configuration.
  ///
  /// The record counts after the checkpoint, and only under the settings with which it was written:
  /// other ones may have no such loss spike. Collective.
  static func recordedSkips(
    of trainer: Trainer, in folder: RunFolder, isContinued: Bool, world: Communicator,
    observers: RunObservers
  ) throws -> SkipRecord {
    let step = trainer.state.step
    var record = SkipRecord(trainer.state.skipped ?? [])
    let lasting = record.entries.last?.last ?? step
    let written = try world.together { () throws -> [UInt8] in
      guard world.rank == 0, isContinued else { return [] }
      let file: SkipFile?
      do throws(SkipFile.UnreadableRecord) {
        file = try SkipFile(in: folder)
      } catch {
        try observers.event(
          .warning, step: step,
          "\(folder.path)/\(SkipFile.name) cannot be read: \(error.reason); the steps that it lists "
            + "after step \(step) are judged again")
        return []
      }
      guard let file, file.settings == trainer.state.settings else { return [] }
      return Array(try JSONEncoder().encode(file.record.after(step).entries))
    }
    let bytes = try world.broadcast(written)
    if !bytes.isEmpty {
      let entries = try JSONDecoder().decode([SkippedSteps].self, from: Data(bytes))
      for entry in entries where entry.first > lasting { record.insert(entry) }
    }
    for var entry in trainer.plan.onSpike.skipped.entries where entry.last > step {
      // The steps up to the checkpoint are done.
      entry.first = max(entry.first, step + 1)
      let isKnown = (entry.first...entry.last).allSatisfy { record.entry(at: $0) != nil }
      if !isKnown { record.insert(entry) }
    }
    return record
  }

  /// Reports the steps of the record that are still to come.
  func announceComingSkips() throws {
    let coming = trainer.skips.after(trainer.state.step)
    guard coming.count > 0 else { return }
    try observers.event(
      .note, step: trainer.state.step, "\(coming.count, "step") will be skipped: \(coming.text)")
  }

  /// Passes over steps of the record and reports them; returns the control words of all ranks.
  ///
  /// Collective.
  func passOver(
    _ entry: SkippedSteps, to last: Int, sending word: ControlWord
  ) throws -> [ControlWord] {
    let words = try trainer.passOver(entry, to: last, sending: word)
    try observers.skip(
      SkipReport(
        first: entry.first, last: last, reason: entry.reason, loss: entry.loss,
        gradientNorm: entry.gradientNorm))
    try observers.event(.note, step: last, "skipped \(entry.text): \(entry.reason)")
    return words
  }

  /// Reports the skipped step that was just computed, and writes the record.
  func noteSkip() throws {
    let step = trainer.state.step
    let inARow = trainer.skips.stepsInARow(upTo: step)
    try observers.event(
      .warning, step: step,
      "the update of this step is skipped: \(trainer.skipReason ?? "") (\(inARow) in a row, and "
        + "guard.limit is \(plan.onSpike.limit))")
    if world.rank == 0 { try writeRecord() }
  }

  /// Writes the record of skipped steps, on rank 0; a disk that does not take it is only reported,
  /// because checkpoints have the record too, and a run that resumes judges the other steps again.
  private func writeRecord() throws {
    do throws(StorageError) {
      try cycle.requireClaim()
      try SkipFile(trainer.skips, settings: trainer.state.settings).write(to: folder)
    } catch {
      if error.isSuperseded { throw error }
      try observers.event(
        .warning, step: trainer.state.step,
        "the record of skipped steps cannot be written: \(error)")
    }
  }

  /// Saves the checkpoint of another run with which this one begins, so that a rollback finds it.
  ///
  /// Collective.
  func saveStartOfRollbacks() throws {
    guard plan.onSpike.action == .rollback, trainer.state.step > 0, savedStep == nil else { return }
    try saveAndWait(isNeeded: true)
  }

  /// Goes back to before a loss spike, and records that the steps from there to the spike are skipped.
  ///
  /// The state is that of the newest checkpoint at or before the last step that is not undone; the
  /// steps between the two are computed again, with the same bits. So the weights do not depend on the
  /// checkpoints that exist, nor on crashes. In order: the record is written; the checkpoints of undone
  /// steps are removed; the state is restored. After a crash before the record the run resumes as if
  /// the spike had not been seen, and after it the next attempt removes what is left of the undone
  /// steps, see `UnfinishedRollback`.
  ///
  /// Collective.
  ///
  /// - Throws: `diverged`, on every rank, unless `guard.onSpike` is `rollback` and its limit is not
  ///   reached.
  func rollBack(after diverged: DivergenceGuard.Diverged) throws {
    let limit = plan.onSpike.limit
    guard plan.onSpike.action == .rollback else { throw diverged }
    guard let undone = undone(by: diverged) else { throw diverged }
    let number = trainer.skips.rollbacks + 1
    guard number <= limit else {
      throw diverged.adding(
        ", after \(limit, "rollback"), the most that guard.limit allows")
    }
    activity.begin(.saving, step: diverged.step)
    try note(try cycle.finishOrDiscard(), isLast: true)
    trainer.skips.insert(undone)
    let target = undone.first - 1
    let found = try world.together { () throws -> Checkpoint? in
      guard world.rank == 0 else { return nil }
      let store = folder.checkpoints
      try writeRecord()
      FaultSchedule.reach(.rollback, step: diverged.step)
      let removed = try store.removeCheckpoints(after: target, attempt: attempt)
      if !removed.isEmpty {
        try observers.event(
          .note, step: diverged.step,
          "\(removed.count, "checkpoint") of undone steps removed: "
            + removed.map(String.init).joined(separator: ", "))
      }
      let recovery = try store.newestVerified()
      for damaged in recovery.setAside {
        try observers.event(.checkpointSetAside, "\(damaged.name): \(damaged.reason)")
      }
      // Without a checkpoint the run begins again, if it knows with what.
      if recovery.checkpoint == nil, trainer.state.firstStep != nil { throw diverged }
      try metrics?.rewind(to: recovery.checkpoint?.step)
      return recovery.checkpoint
    }
    let path = String(decoding: try world.broadcast(Array((found?.path ?? "").utf8)), as: UTF8.self)
    if path.isEmpty {
      try trainer.restart()
    } else {
      try trainer.restore(from: try found ?? Checkpoint(verifiedElsewhere: path))
    }
    try trainer.requireEqualWeights()
    (owesCheckpoint, hasLostBest, lastWarnings) = (false, false, [:])
    latest = path.isEmpty ? nil : path
    savedStep = path.isEmpty ? nil : trainer.state.step
    try observers.event(
      .warning, step: diverged.step,
      "the run diverged: \(diverged.reason); it goes back to "
        + (path.isEmpty ? "its start" : path) + ", and the batches of steps \(undone.text) are "
        + "skipped (rollback \(number), and guard.limit is \(limit))")
  }

  /// Returns the steps that the spike at `diverged` undoes, whole iterations; nil for none.
  private func undone(by diverged: DivergenceGuard.Diverged) -> SkippedSteps? {
    let iterations = (diverged.step + stepsPerIteration - 1) / stepsPerIteration
    let last = min(iterations * stepsPerIteration, plan.steps)
    let healthy = min(trainer.firstFault ?? diverged.step, diverged.step) - 1
    let lowest = trainer.state.firstStep ?? 0
    let target = trainer.skips.step(
      before: healthy, trained: plan.onSpike.rollbackSteps, notBelow: lowest)
    let boundary = max(lowest, target / stepsPerIteration * stepsPerIteration)
    guard boundary < last else { return nil }
    return SkippedSteps(
      boundary + 1, through: last, .range,
      reason: "undone, because the run diverged at step \(diverged.step): \(diverged.reason)",
      rollbacks: 1)
  }

  /// Reports the steps that the run has skipped, at its end.
  func announceSkips() throws {
    let skipped = trainer.skips.upTo(trainer.state.step)
    guard skipped.count > 0 else { return }
    try observers.event(
      .note, step: trainer.state.step,
      "\(skipped.count) of \(trainer.state.step, "step") skipped, with \(skipped.rollbacks, "rollback"); "
        + "guard.skipped: [\(skipped.text)] repeats this")
  }
}

extension TrainingPlan {
  /// Returns the rule by which a checkpoint that a later rollback may need is kept; see
  /// `CheckpointCycle.oldestNeeded`.
  func oldestNeeded(stepsPerIteration: Int) -> @Sendable (TrainingState) -> Int? {
    guard onSpike.action == .rollback else { return { _ in nil } }
    return { [rollbackSteps = onSpike.rollbackSteps] state in
      let lowest = state.firstStep ?? 0
      let step = SkipRecord(state.skipped ?? []).step(
        before: state.step, trained: rollbackSteps, notBelow: lowest)
      return max(lowest, step / stepsPerIteration * stepsPerIteration)
    }
  }
}
