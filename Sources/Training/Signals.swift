import Glibc
import Synchronization

/// Requests by signals, recorded by handlers and read at step boundaries.
///
/// SIGTERM, SIGINT and SIGUSR2: save and stop. SIGUSR1: save and continue. `mpirun` forwards
/// SIGUSR1 and SIGUSR2 to all ranks; on SIGTERM it kills them. A second SIGINT ends the process at
/// once.
enum Signals {
  private static let recorded = Atomic<UInt8>(0)

  /// Installs the handler of requests to save, at the start of a run: such a request must not
  /// end a run that is still preparing, and neither must a closed log pipe.
  ///
  /// The signals are unblocked, because the parent process may have left them blocked.
  static func handleSaveRequests() {
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for number in [SIGUSR1, SIGUSR2, SIGTERM, SIGINT] { sigaddset(&wanted, number) }
    pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
    signal(SIGUSR1) { _ in Signals.record(1) }
    signal(SIGPIPE, SIG_IGN)
  }

  /// Installs the handlers of requests to stop, at the first step: before it there is nothing to
  /// save, and the signal ends the process.
  static func handleStopRequests() {
    for number in [SIGTERM, SIGUSR2] { signal(number) { _ in Signals.record(2) } }
    signal(SIGINT) { _ in
      Signals.record(2)
      signal(SIGINT, SIG_DFL)
    }
  }

  private static func record(_ bit: UInt8) {
    recorded.bitwiseOr(bit, ordering: .relaxed)
  }

  /// Returns the requests since the last call.
  static func take() -> ControlWord.Signals {
    ControlWord.Signals(rawValue: recorded.exchange(0, ordering: .relaxed))
  }
}
