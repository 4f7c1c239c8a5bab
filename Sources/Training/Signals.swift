import Glibc
import Synchronization

/// Requests from outside the process, noted by signal handlers and read at step boundaries.
///
/// SIGTERM, SIGINT and SIGUSR2: save and stop. SIGUSR1: save and go on. `mpirun` forwards SIGUSR1
/// and SIGUSR2 to all ranks; on SIGTERM it kills them. A second SIGINT ends the process at once.
enum Signals {
  private static let noted = Atomic<UInt8>(0)

  /// From the start: a request to save must not end a run that is still preparing, nor must a reader
  /// of the log that went away.
  ///
  /// Whoever started the program may have left signals blocked; a request must arrive all the same.
  static func noteSaves() {
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for number in [SIGUSR1, SIGUSR2, SIGTERM, SIGINT] { sigaddset(&wanted, number) }
    pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
    signal(SIGUSR1) { _ in Signals.note(1) }
    signal(SIGPIPE, SIG_IGN)
  }

  /// From the first step on: before it there is nothing to save, and the request ends the process.
  static func noteStops() {
    for number in [SIGTERM, SIGUSR2] { signal(number) { _ in Signals.note(2) } }
    signal(SIGINT) { _ in
      Signals.note(2)
      signal(SIGINT, SIG_DFL)
    }
  }

  private static func note(_ bit: UInt8) {
    noted.bitwiseOr(bit, ordering: .relaxed)
  }

  /// What was asked since the last call.
  static func take() -> ControlWord.Signals {
    ControlWord.Signals(rawValue: noted.exchange(0, ordering: .relaxed))
  }
}
