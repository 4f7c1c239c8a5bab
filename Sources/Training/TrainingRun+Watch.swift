import Files
import Glibc
import MPI

extension TrainingRun {
  /// Starts the watchdog of this rank; nil when `watchdog.limit` is 0.
  ///
  /// Collective.
  func startWatchdog() throws -> Watchdog? {
    guard plan.watchdogLimit > 0 else { return nil }
    let signs = try world.together { () throws -> String? in
      if world.size == 1 { return nil }
      let folder = "\(folder.signs)/\(attempt)"
      if world.rank == 0 {
        // Another run that has taken the folder over has its signs there.
        try cycle.requireClaim()
        try FileSystem.removeTree(self.folder.signs)
        try FileSystem.makeFolder(folder)
      }
      return folder
    }
    let host = try Communicator.hostName
    return try world.together {
      try Watchdog(
        world: world, activity: trainer.activity, host: host, signs: signs,
        limit: plan.watchdogLimit)
    }
  }

  /// Ends the watchdog, and removes the folder of its signs.
  func end(_ watchdog: Watchdog?) {
    watchdog?.end()
    // Best effort: the next attempt removes it too. Another run may have its signs beside them.
    guard watchdog != nil && world.rank == 0 else { return }
    try? FileSystem.removeTree("\(folder.signs)/\(attempt)")
    rmdir(folder.signs)
  }
}
