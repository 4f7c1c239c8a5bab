import Checkpoints
import Glibc
import MPI
import Monitoring

/// Finding the checkpoint that a run goes on from.
enum Resumption {
  /// The checkpoint to go on from, or nil for the start.
  ///
  /// Rank 0 verifies it and claims the folder for this attempt. Collective.
  static func find(
    _ resume: PretrainingRun.Resume, in folder: RunFolder, attempt: String, world: Communicator,
    observers: RunObservers
  ) throws -> Checkpoint? {
    let store = folder.checkpoints
    var found: Checkpoint?
    if world.rank == 0 {
      if case .path(let path) = resume { found = try Checkpoint(verifying: path) }
      try store.claim(attempt: attempt)
      if resume == .auto {
        let recovery = try store.newestVerified()
        for damaged in recovery.setAside {
          try observers.event(
            EventReport(.checkpointSetAside, "\(damaged.name): \(damaged.reason)"))
        }
        found = recovery.checkpoint
      }
    }
    let path = String(decoding: try world.broadcast(Array((found?.path ?? "").utf8)), as: UTF8.self)
    if world.rank == 0 { return found }
    return path.isEmpty ? nil : try Checkpoint(verifiedElsewhere: path)
  }

  /// Puts out of the way what the run folder keeps of a history that `resume` leaves: the next
  /// attempt must find this one's checkpoints, and retention must not count the others.
  ///
  /// For rank 0, once nothing stands in the way of the first step.
  static func leaveOtherHistory(
    _ resume: PretrainingRun.Resume, from start: Checkpoint?, in folder: RunFolder,
    attempt: String, observers: RunObservers
  ) throws {
    if resume == .auto { return }
    let isOwn = start.map { isSameFolder($0.path, folder.checkpoint(step: $0.step)) } ?? false
    let aside = try folder.setCheckpointsAside(
      after: isOwn ? start?.step : nil, attempt: attempt)
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
