import Glibc
import Synchronization

/// Requests by signals to the launcher: SIGTERM, SIGINT, SIGUSR2 and, unless it is ignored, SIGHUP
/// stop the run; SIGUSR1 asks the ranks to save and to continue.
enum StopRequests {
  private static let stops = Atomic<Int>(0)
  private static let interrupts = Atomic<Int>(0)
  private static let saves = Atomic<Int>(0)

  /// Installs the handlers; a closed reader of the log must not end the launcher.
  static func handle() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGINT) { _ in
      StopRequests.stops.add(1, ordering: .relaxed)
      StopRequests.interrupts.add(1, ordering: .relaxed)
    }
    for number in [SIGTERM, SIGUSR2] {
      signal(number) { _ in StopRequests.stops.add(1, ordering: .relaxed) }
    }
    var action = sigaction()
    sigaction(SIGHUP, nil, &action)
    let current = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    if current != unsafeBitCast(SIG_IGN, to: Int.self) {
      signal(SIGHUP) { _ in StopRequests.stops.add(1, ordering: .relaxed) }
    }
    signal(SIGUSR1) { _ in StopRequests.saves.add(1, ordering: .relaxed) }
  }

  /// True after a request to stop.
  static var isStopRequested: Bool { stops.load(ordering: .relaxed) > 0 }

  /// True after a second SIGINT: the ranks are to end without a checkpoint.
  static var isEndRequested: Bool { interrupts.load(ordering: .relaxed) > 1 }

  /// Returns true when a save was requested since the last call.
  static func takeSave() -> Bool { saves.exchange(0, ordering: .relaxed) > 0 }
}
