// "Processes that end with their parent. Knows no run."

import CSystem
import Files
import Glibc

/// A command with all processes that it starts, which end with it, and with this process, however
/// that ends.
///
/// A supervisor (`supervisor.c`) runs the command in a process group of its own. It adopts the
/// orphans among its descendants, which a process in a session of its own becomes; this process
/// adopts those of a supervisor that is killed. The command inherits only its standard streams.
package final class SupervisedProcess {
  /// The end of a command: its exit code, or the signal that ended it.
  package struct Outcome: Equatable, Sendable {
    package let code: Int32
    /// 0 when no signal ended it.
    package let signal: Int32

    /// The exit code that a shell reports.
    package var shellCode: Int32 { signal == 0 ? code : 128 + signal }
  }

  /// The process id of the supervisor, which is the id of the process group.
  private let supervisor: pid_t
  // The supervisor ends the command when the writing end closes, also by the end of this process.
  private let lifeline: ClosingPipe
  private let others: Set<pid_t>
  private var outcome: Outcome?

  /// Starts `words`, of which the first is looked up in PATH.
  ///
  /// - Parameters:
  ///   - input: The file that it reads as standard input.
  ///   - output: The file that its standard output replaces; nil for that of this process.
  ///   - errors: The descriptor of its standard error.
  ///   - blocked: The signals that are blocked in it; all others are not.
  package init(
    _ words: [String], input: String = "/dev/null", output: String? = nil, errors: Int32,
    blocking blocked: [Int32] = []
  ) throws(StorageError) {
    _ = apus_adopt_orphans()
    others = ChildProcesses.all()
    lifeline = try ClosingPipe()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
    if let output {
      posix_spawn_file_actions_addopen(
        &actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
    posix_spawn_file_actions_adddup2(&actions, lifeline.reading, APUS_LIFELINE)
    for name in (try? FileSystem.names(in: "/proc/self/fd")) ?? [] {
      guard let file = Int32(name), file > APUS_LIFELINE else { continue }
      posix_spawn_file_actions_addclose(&actions, file)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Default signal handling, as in a user's shell: this process may ignore these signals.
    var (mask, ignored) = (sigset_t(), sigset_t())
    sigemptyset(&mask)
    sigemptyset(&ignored)
    for number in blocked { sigaddset(&mask, number) }
    for number in [SIGPIPE, SIGXFSZ] { sigaddset(&ignored, number) }
    posix_spawnattr_setsigmask(&attributes, &mask)
    posix_spawnattr_setsigdefault(&attributes, &ignored)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var arguments = ([APUS_SUPERVISOR] + words).map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let code = posix_spawn(&process, "/proc/self/exe", &actions, &attributes, &arguments, environ)
    guard code == 0 else { throw .call(operation: "start", path: words[0], code: code) }
    supervisor = process
    lifeline.closeReading()
  }

  /// The process id of the command; nil before its start and after its end.
  package var command: pid_t? {
    if hasEnded { return nil }
    let children = ChildProcesses.all(of: supervisor)
    // The command starts before it can leave orphans, which become children of the supervisor too.
    if first == nil { first = children.min() }
    return first.flatMap { children.contains($0) ? $0 : nil }
  }
  private var first: pid_t?

  /// True when the command has ended; its end is not yet taken from the system.
  package var hasEnded: Bool {
    if outcome != nil { return true }
    var information = siginfo_t()
    let code = waitid(P_PID, id_t(supervisor), &information, WEXITED | WNOHANG | WNOWAIT)
    return code == 0 && information.si_signo != 0
  }

  /// Ends the command, unless it has ended, with all processes that it started.
  package func end() -> Outcome {
    if let outcome { return outcome }
    // The id of the group is not reused before the wait. The supervisor is killed with it, and its
    // descendants become children of this process.
    kill(-supervisor, SIGKILL)
    var status: Int32 = 0
    while waitpid(supervisor, &status, 0) < 0 && errno == EINTR {}
    ChildProcesses.end(except: others)
    lifeline.closeWriting()
    let end = Outcome(code: (status >> 8) & 0xff, signal: status & 0x7f)
    outcome = end
    return end
  }
}

/// The children of processes.
package enum ChildProcesses {
  /// The child processes of `parent`, adopted ones included; without it those of this process.
  package static func all(of parent: pid_t? = nil) -> Set<pid_t> {
    let tasks = "/proc/\(parent.map { "\($0)" } ?? "self")/task"
    let threads = (try? FileSystem.names(in: tasks)) ?? []
    return Set(
      threads.flatMap { thread in
        let bytes = (try? InputFile("\(tasks)/\(thread)/children").contents()) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
      })
  }

  /// Kills and reaps all children but `others`, and the orphans that their end makes children.
  package static func end(except others: Set<pid_t>) {
    let end = ContinuousClock.now + .seconds(5)
    while case let left = all().subtracting(others), !left.isEmpty, ContinuousClock.now < end {
      for child in left { kill(child, SIGKILL) }
      // A child that cannot be killed, as one of another user, must not stop this process.
      var status: Int32 = 0
      for child in left where waitpid(child, &status, WNOHANG) == 0 { usleep(1000) }
    }
  }
}
