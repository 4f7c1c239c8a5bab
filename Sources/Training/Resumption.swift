import Checkpoints
import Files
import MPI
import Monitoring

/// The search for the checkpoint that a run resumes from.
///
/// First the checkpoint is located, which changes nothing on the disk; then the folder is claimed,
/// which ends every other attempt in it. Everything that can refuse the run happens between the
/// two, so that a refused start does not disturb a run that is under way in the same folder.
enum Resumption {
  /// A checkpoint of this run's model, located before the folder is claimed.
  struct Candidate {
    /// The folder of the checkpoint.
    let path: String
    /// The verified checkpoint on rank 0; nil on the others, which do not read a folder that may
    /// still be removed.
    let checkpoint: Checkpoint?
  }

  /// Returns the checkpoint that a run would resume from now; nil to start at step 0.
  ///
  /// Rank 0 verifies it. Collective.
  ///
  /// - Throws: On every rank, when the checkpoint does not match `plan`.
  static func locate(
    _ resume: TrainingRun.Resume, for plan: TrainingPlan, in folder: RunFolder,
    world: Communicator
  ) throws -> Candidate? {
    let found = try world.together {
      world.rank == 0 ? try find(resume, for: plan, in: folder) : nil
    }
    let path = String(decoding: try world.broadcast(Array((found?.path ?? "").utf8)), as: UTF8.self)
    return path.isEmpty ? nil : Candidate(path: path, checkpoint: found)
  }

  private static func find(
    _ resume: TrainingRun.Resume, for plan: TrainingPlan, in folder: RunFolder
  ) throws -> Checkpoint? {
    var (found, mismatches): (Checkpoint?, [String]) = (nil, [])
    switch resume {
    case .auto: (found, mismatches) = try newest(in: folder, for: plan)
    case .never: break
    case .path(let path):
      let checkpoint = try Checkpoint(verifying: path)
      (found, mismatches) = (checkpoint, try plan.mismatches(with: checkpoint))
    }
    guard let found else { return nil }
    guard mismatches.isEmpty else {
      throw CheckpointError.otherModel(path: found.path, faults: mismatches)
    }
    try plan.requireSameInitialWeights(in: found)
    // With epochs, the data decides the number of steps.
    if plan.epochs == nil { try plan.requireStepsLeft(after: found) }
    return found
  }

  /// Returns the newest whole checkpoint and its mismatches with `plan`; nil without one.
  ///
  /// A run that is under way in the folder removes old checkpoints while they are read here: an
  /// error counts only when the folder is unchanged afterwards.
  private static func newest(in folder: RunFolder, for plan: TrainingPlan) throws -> (
    Checkpoint?, [String]
  ) {
    let store = folder.checkpoints
    for _ in 0..<20 {
      let steps = try store.publishedSteps()
      do {
        let last = try UnfinishedRollback.target(in: folder) ?? .max
        if let found = try store.newestIntact(upTo: last).checkpoint {
          return (found, try plan.mismatches(with: found))
        }
        if try store.publishedSteps() == steps { break }
      } catch {
        if try store.publishedSteps() == steps { throw error }
      }
    }
    return (nil, [])
  }

  /// Claims the folder for this attempt, and looks for a newer checkpoint than `candidate`, which
  /// another attempt may have published meanwhile.
  ///
  /// Collective.
  ///
  /// - Returns: The checkpoint to resume from, not nil when there is a candidate; and the number of
  ///   the attempt in this folder, from 1.
  /// - Throws: On every rank, also when one of them does not find the claim in its own folder.
  static func claim(
    _ resume: TrainingRun.Resume, candidate: Candidate?, in folder: RunFolder, attempt: String,
    world: Communicator, observers: RunObservers
  ) throws -> (start: Checkpoint?, number: Int) {
    let store = folder.checkpoints
    var number = 0
    let found = try world.together {
      guard world.rank == 0 else { return nil as Checkpoint? }
      number = try store.claim(attempt: attempt)
      guard resume == .auto else { return candidate?.checkpoint }
      if let last = try UnfinishedRollback.target(in: folder) {
        let removed = try store.removeCheckpoints(after: last, attempt: attempt)
        try observers.event(
          .note, step: last,
          "a rollback to step \(last) was interrupted; \(removed.count, "checkpoint") of undone steps "
            + "removed: " + removed.map(String.init).joined(separator: ", "))
      }
      let recovery = try store.newestVerified(known: candidate?.checkpoint)
      for damaged in recovery.setAside {
        try observers.event(.checkpointSetAside, "\(damaged.name): \(damaged.reason)")
      }
      if let candidate, recovery.checkpoint == nil {
        throw CheckpointError.notACheckpoint(
          path: candidate.path, reason: "it was removed while this run began")
      }
      return recovery.checkpoint
    }
    let isShown = try world.together { try store.showsClaim(attempt: attempt) }
    try world.together {
      // Another run may have taken the folder over meanwhile.
      if world.rank == 0 { try store.requireClaim(attempt: attempt) }
      if !isShown { throw StartRefusal.folderNotShared(path: folder.path) }
    }
    let path = String(decoding: try world.broadcast(Array((found?.path ?? "").utf8)), as: UTF8.self)
    number = Int(try world.broadcast(Int64(number)))
    if world.rank == 0 { return (found, number) }
    return (path.isEmpty ? nil : try Checkpoint(verifiedElsewhere: path), number)
  }

  /// Returns true when `start` is a checkpoint of the run folder itself, not of another run.
  ///
  /// Rank 0 decides, because the path may differ on the others. Collective.
  static func isOwn(_ start: Checkpoint, of folder: RunFolder, world: Communicator) throws -> Bool {
    let own = FileStatus(folder.checkpoint(step: start.step))?.identity
    let isOwn = world.rank == 0 && own != nil && FileStatus(start.path)?.identity == own
    return try world.broadcast(UInt8(isOwn ? 1 : 0)) == 1
  }

  /// Sets aside the checkpoints of a history that `resume` abandons: the next attempt must find the
  /// checkpoints of this one, and retention must not count the others.
  ///
  /// Called on rank 0, when the first step can follow.
  ///
  /// - Parameter step: The step of the checkpoint that the run resumes from, if it is in the
  ///   folder.
  static func setOtherHistoryAside(
    _ resume: TrainingRun.Resume, after step: Int?, in folder: RunFolder, attempt: String,
    observers: RunObservers
  ) throws {
    if resume == .auto { return }
    if let aside = try folder.setCheckpointsAside(after: step, attempt: attempt) {
      try observers.event(.note, "checkpoints of another history are now in \(aside)")
    }
  }
}
