import Checkpoints
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
      if resume == .never, let aside = try folder.setCheckpointsAside(attempt: attempt) {
        try observers.event(EventReport(.note, "earlier checkpoints are now in \(aside)"))
      }
      try store.claim(attempt: attempt)
      switch resume {
      case .never: break
      case .path(let path): found = try Checkpoint(verifying: path)
      case .auto:
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
}
