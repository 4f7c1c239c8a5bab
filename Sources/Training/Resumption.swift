import Checkpoints
import Glibc
import MPI
import Monitoring

/// Finding the checkpoint that a run goes on from.
///
/// First it is looked for, which changes nothing on the disk; then the folder is claimed, which ends
/// every other attempt in it. What can refuse the run stands between the two, so that a refused
/// start does not disturb a run that is under way in the same folder.
enum Resumption {
  /// A checkpoint of this run's model, found before the folder is claimed.
  struct Sighting {
    /// Its folder.
    let path: String
    /// The same as rank 0 verified it; nil on the others, who do not read what may still vanish.
    let checkpoint: Checkpoint?
  }

  /// The checkpoint to go on from as things stand, or nil for the start.
  ///
  /// Rank 0 verifies it. Collective.
  ///
  /// - Throws: On every rank, when it does not fit `plan`.
  static func look(
    _ resume: TrainingRun.Resume, for plan: TrainingPlan, in folder: RunFolder,
    world: Communicator
  ) throws -> Sighting? {
    let found = try world.together {
      world.rank == 0 ? try find(resume, for: plan, in: folder) : nil
    }
    let path = String(decoding: try world.broadcast(Array((found?.path ?? "").utf8)), as: UTF8.self)
    return path.isEmpty ? nil : Sighting(path: path, checkpoint: found)
  }

  private static func find(
    _ resume: TrainingRun.Resume, for plan: TrainingPlan, in folder: RunFolder
  ) throws -> Checkpoint? {
    var (found, faults): (Checkpoint?, [String]) = (nil, [])
    switch resume {
    case .auto: (found, faults) = try newest(in: folder.checkpoints, for: plan)
    case .never: break
    case .path(let path):
      let checkpoint = try Checkpoint(verifying: path)
      (found, faults) = (checkpoint, try plan.faults(of: checkpoint))
    }
    guard let found else { return nil }
    guard faults.isEmpty else {
      throw CheckpointError.otherModel(path: found.path, faults: faults)
    }
    try plan.requireSameStart(in: found)
    guard found.step <= plan.options.steps else {
      throw StartRefusal.stepsDone(
        checkpoint: found.path, step: found.step, steps: plan.options.steps)
    }
    return found
  }

  /// The newest whole checkpoint and why it does not fit `plan`; nil without one.
  ///
  /// A run that is under way in the folder removes old checkpoints while they are read here: what
  /// went wrong counts only when the folder is the same afterwards.
  private static func newest(in store: CheckpointStore, for plan: TrainingPlan) throws -> (
    Checkpoint?, [String]
  ) {
    for _ in 0..<20 {
      let steps = try store.publishedSteps()
      do {
        if let found = try store.newestWhole().checkpoint {
          return (found, try plan.faults(of: found))
        }
        if try store.publishedSteps() == steps { break }
      } catch {
        if try store.publishedSteps() == steps { throw error }
      }
    }
    return (nil, [])
  }

  /// Claims the folder for this attempt, and looks again: until then another attempt may have
  /// published a newer checkpoint than the one `seen`.
  ///
  /// Collective.
  ///
  /// - Returns: The checkpoint to go on from; there is one whenever one was seen.
  /// - Throws: On every rank, also when one of them does not see the claim in its own folder.
  static func claim(
    _ resume: TrainingRun.Resume, seen: Sighting?, in folder: RunFolder, attempt: String,
    world: Communicator, observers: RunObservers
  ) throws -> Checkpoint? {
    let store = folder.checkpoints
    let found = try world.together {
      guard world.rank == 0 else { return nil as Checkpoint? }
      try store.claim(attempt: attempt)
      guard resume == .auto else { return seen?.checkpoint }
      let recovery = try store.newestVerified(known: seen?.checkpoint)
      for damaged in recovery.setAside {
        try observers.event(
          EventReport(.checkpointSetAside, "\(damaged.name): \(damaged.reason)"))
      }
      if let seen, recovery.checkpoint == nil {
        throw CheckpointError.notACheckpoint(
          path: seen.path, reason: "it was removed while this run began")
      }
      return recovery.checkpoint
    }
    try world.together {
      guard try store.showsClaim(attempt: attempt) else {
        throw StartRefusal.folderNotShared(path: folder.path)
      }
    }
    let path = String(decoding: try world.broadcast(Array((found?.path ?? "").utf8)), as: UTF8.self)
    if world.rank == 0 { return found }
    return path.isEmpty ? nil : try Checkpoint(verifiedElsewhere: path)
  }

  /// Whether `start` is a checkpoint of the run folder itself, not one of another run.
  ///
  /// Rank 0 decides, as the others may know the folder under another name. Collective.
  static func isOwn(_ start: Checkpoint, of folder: RunFolder, world: Communicator) throws -> Bool {
    let isOwn = world.rank == 0 && isSameFolder(start.path, folder.checkpoint(step: start.step))
    return try world.broadcast(UInt8(isOwn ? 1 : 0)) == 1
  }

  /// Puts out of the way what the run folder keeps of a history that `resume` leaves: the next
  /// attempt must find this one's checkpoints, and retention must not count the others.
  ///
  /// For rank 0, once nothing stands in the way of the first step.
  ///
  /// - Parameter step: The step of the folder's own checkpoint that is gone on from, if it is one.
  static func leaveOtherHistory(
    _ resume: TrainingRun.Resume, after step: Int?, in folder: RunFolder, attempt: String,
    observers: RunObservers
  ) throws {
    if resume == .auto { return }
    let aside = try folder.setCheckpointsAside(after: step, attempt: attempt)
    if let aside {
      try observers.event(EventReport(.note, "checkpoints of another history are now in \(aside)"))
    }
  }

  private static func isSameFolder(_ a: String, _ b: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev
      && first.st_ino == second.st_ino
  }
}
