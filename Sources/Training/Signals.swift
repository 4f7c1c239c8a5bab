import Glibc
import Synchronization

/// Requests by signals, recorded by handlers and read at step boundaries.
///
/// SIGTERM, SIGINT, SIGUSR2 and, unless it is ignored, SIGHUP: save and stop. SIGUSR1: save and
/// continue. The `mpirun` of Open MPI forwards SIGUSR1 and SIGUSR2 to all ranks; on SIGTERM it kills
/// them. The `mpiexec` of MPICH forwards SIGTERM, SIGINT and SIGUSR1, and waits for the ranks; SIGUSR2
/// ends it. A second SIGINT ends the process at once.
package enum Signals {
  private static let recorded = Atomic<UInt8>(0)
  /// True on a rank other than 0.
  private static let isOtherRank = Atomic<Bool>(false)

  /// Sets the actions of signals at the start of the program, before anything else.
  ///
  /// A request to save waits for the first step. Before it there is nothing to save, so a request to
  /// stop ends the process: with exit code 75 for SIGUSR2, whose default action has no sentence. The
  /// signals are unblocked, because the parent process may have left them blocked.
  ///
  /// - Parameter rank: The rank under `mpirun`, else 0.
  package static func prepare(rank: Int) {
    isOtherRank.store(rank > 0, ordering: .relaxed)
    recorded.store(0, ordering: .relaxed)
    signal(SIGUSR1) { _ in Signals.record(1) }
    signal(SIGUSR2) { _ in Signals.endBeforeFirstStep() }
    // The write that exceeds a limit of file sizes fails with EFBIG, which has a sentence.
    signal(SIGXFSZ, SIG_IGN)
    // Swift's handlers of crashes return, and the program would ignore these two.
    // A shell may have set SIGQUIT to be ignored, as for a command in the background.
    for number in [SIGQUIT, SIGABRT] where !isIgnored(number) { signal(number, SIG_DFL) }
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for number in [SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP] { sigaddset(&wanted, number) }
    pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
  }

  /// Ends a command that trains with exit code 75, as `prepare` says, also on SIGTERM and SIGHUP,
  /// which end other commands by their default actions.
  package static func endStartOnStopRequests() {
    for number in stopRequests { signal(number) { _ in Signals.endBeforeFirstStep() } }
  }

  /// The requests to stop, except SIGINT; without SIGHUP where it is ignored, as under `nohup`.
  private static var stopRequests: [Int32] {
    [SIGTERM, SIGUSR2] + (isIgnored(SIGHUP) ? [] : [SIGHUP])
  }

  /// Returns true when the process ignores the signal `number`.
  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    sigaction(number, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Ignores SIGPIPE, at the start of a run: a closed log pipe must not end it.
  static func ignoreClosedPipes() {
    signal(SIGPIPE, SIG_IGN)
  }

  /// Installs the handlers of requests to stop, at the first step.
  static func handleStopRequests() {
    for number in stopRequests { signal(number) { _ in Signals.record(2) } }
    signal(SIGINT) { _ in
      Signals.record(2)
      signal(SIGINT, SIG_DFL)
    }
  }

  /// Ignores requests to stop, in a process that ends with an error.
  ///
  /// `mpirun` sends SIGTERM to the other ranks when the first of them exits. A rank that is about to
  /// exit too must not report it as a request of the user.
  package static func ignoreStopRequests() {
    for number in stopRequests { signal(number, SIG_IGN) }
  }

  private static func record(_ bit: UInt8) {
    recorded.bitwiseOr(bit, ordering: .relaxed)
  }

  /// Ends the process from a signal handler.
  private static func endBeforeFirstStep() {
    let sentence: StaticString =
      "apus: a signal requested a stop before the first step, so there is nothing to save; start the same command again.\n"
    // When another rank ends with an error, mpirun sends SIGTERM and a second later SIGKILL.
    if isOtherRank.load(ordering: .relaxed) { sleep(2) }
    _ = write(STDERR_FILENO, sentence.utf8Start, sentence.utf8CodeUnitCount)
    _exit(75)
  }

  /// Returns the requests to save since the last call, and a request to stop until it is met.
  static func take() -> ControlWord.Signals {
    let stop = ControlWord.Signals.stop.rawValue
    return ControlWord.Signals(
      rawValue: recorded.bitwiseAnd(stop, ordering: .relaxed).oldValue)
  }

  /// True when this process was asked to stop.
  package static var isStopRequested: Bool {
    ControlWord.Signals(rawValue: recorded.load(ordering: .relaxed)).contains(.stop)
  }

  /// Forgets a request to stop, when the run has ended because of it or of an error.
  static func forgetStop() {
    recorded.bitwiseAnd(~ControlWord.Signals.stop.rawValue, ordering: .relaxed)
  }
}
