import Glibc
import Synchronization

/// Requests from outside the process, noted by signal handlers and read at step boundaries.
///
/// SIGTERM and SIGINT: save and stop. SIGUSR1: save and go on (`mpirun` forwards it to all ranks).
/// A second SIGINT ends the process at once.
enum Signals {
  private static let noted = Atomic<UInt8>(0)

  /// Starts listening.
  static func listen() {
    signal(SIGTERM) { _ in Signals.note(2) }
    signal(SIGUSR1) { _ in Signals.note(1) }
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
