import Files
import Glibc
import MPI

/// The watch over the ranks of an attempt, from its start to its end: the watchdog, and the folder of
/// the ranks' signs of life.
final class RunWatch {
  /// A unique name of the attempt, the same on every rank.
  let attempt: String
  /// The work of this rank.
  let activity = RankActivity()
  private let world: Communicator
  private let folder: RunFolder
  private let limit: Double
  private var watchdog: Watchdog?
  /// The folders that were created for the signs on rank 0, outermost first.
  private var made: [String] = []
  private var hasBegun = false

  /// Starts the watch, if the run folder can take the signs at this time; otherwise ``begin(after:)``
  /// does.
  ///
  /// Collective.
  ///
  /// - Parameter limit: The seconds of `watchdog.limit`; 0 for no watch.
  init(in folder: RunFolder, limit: Double, world: Communicator) throws {
    self.world = world
    self.folder = folder
    self.limit = limit
    attempt = try StartLimit.watching { try Self.agreeOnAttempt(world) }
    if limit > 0 { try StartLimit.watching(startEarly) }
  }

  /// Returns a name of this moment, that of rank 0.
  ///
  /// Collective.
  private static func agreeOnAttempt(_ world: Communicator) throws -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let name = "\(now.tv_sec)-\(now.tv_nsec)-\(getpid())"
    return String(decoding: try world.broadcast(Array(name.utf8)), as: UTF8.self)
  }

  private func startEarly() throws {
    if world.rank == 0, world.size > 1 {
      // What refuses the run later has the better sentence for a folder that takes no files.
      made = (try? FileSystem.makeFolder(signs)) ?? []
    }
    let isReady = world.size == 1 || !made.isEmpty
    if try world.broadcast(UInt8(isReady ? 1 : 0)) == 1 { try startWatchdog() }
  }

  private var signs: String { "\(folder.signs)/\(attempt)" }

  private func startWatchdog() throws {
    let host = try Communicator.hostName
    watchdog = try world.together {
      try Watchdog(
        world: world, activity: activity, host: host, signs: world.size > 1 ? signs : nil,
        limit: limit)
    }
  }

  /// Starts the watch unless it is under way, and removes the signs of earlier attempts.
  ///
  /// Collective.
  ///
  /// - Parameter requireClaim: Throws when another run has taken the folder over, whose signs stay.
  func begin(after requireClaim: () throws -> Void) throws {
    hasBegun = true
    guard limit > 0 else { return }
    try world.together {
      guard world.rank == 0, world.size > 1 else { return }
      try requireClaim()
      try FileSystem.makeFolder(signs)
      for name in try FileSystem.names(in: folder.signs) where name != attempt {
        try FileSystem.removeTree("\(folder.signs)/\(name)")
      }
    }
    if watchdog == nil { try startWatchdog() }
  }

  /// Ends the watch, and removes the folder of its signs; of a run that did not begin, also the folders
  /// that were created for them.
  func end() {
    guard let watchdog else { return }
    self.watchdog = nil
    watchdog.end()
    // Best effort: the next attempt removes it too. Another run may have its signs beside them.
    guard world.rank == 0, world.size > 1 else { return }
    try? FileSystem.removeTree(signs)
    rmdir(folder.signs)
    if !hasBegun { for path in made.reversed() { rmdir(path) } }
  }

  deinit { end() }
}
