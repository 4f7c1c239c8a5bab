import CSystem
import Files
import Foundation
import Glibc

/// A user's command that scores completions, as a separate process.
///
/// All processes that it starts end with it, and with this rank, however it ends: a supervisor
/// (`supervisor.c`) runs the shell in a process group of its own, and adopts the orphans among its
/// descendants, which a process in a session of its own becomes. The rank adopts those of a
/// supervisor that is killed. The command inherits only its three standard streams, so that a hung
/// one holds no connection of the ranks.
struct RewardProcess: Sendable {
  /// The command for the shell.
  let text: String
  /// The time limit, in seconds.
  let seconds: Double

  /// The limit of the output, in bytes: a command that prints forever must not fill the disk.
  private static let mostPrinted = 64 << 20

  /// The failure of a command; `reason` is the end of a sentence.
  struct Failure: Error, Equatable {
    let reason: String
  }

  /// Runs the command on `input` and returns the lines that it prints; shows its standard error
  /// meanwhile.
  ///
  /// - Parameter isStopped: Returns true to end the command; called 20 times a second.
  /// - Throws: `Failure` unless it exits with 0 in time; other errors come from the disk.
  func lines(
    for input: Data, isStopped: () throws -> Bool = { false }
  ) throws -> [Substring] {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-reward-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (given, printed) = (
      folder.appendingPathComponent("in"), folder.appendingPathComponent("out")
    )
    // Files, not pipes: a command that does not read, or prints much, cannot block the rank.
    try input.write(to: given)
    _ = apus_adopt_orphans()
    let others = Self.children()
    // The supervisor ends the command when the writing end closes, also by the end of this rank.
    let (lifeline, errorPipe) = (try ClosingPipe(), try ClosingPipe())
    let process = try start(
      reading: given.path, writing: printed.path, errors: errorPipe, lifeline: lifeline)
    lifeline.closeReading()
    errorPipe.closeWriting()
    var errors = CommandErrors(errorPipe)
    let end = Result {
      try failure(of: process, writing: printed.path, showing: &errors, isStopped: isStopped)
    }
    // Kills remaining child processes too; the id of the group is not reused before the wait.
    kill(-process, SIGKILL)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    Self.endChildren(except: others)
    errors.finish()
    if let failure = try end.get() { throw failure }
    let signal = status & 0x7f
    guard signal == 0 else { throw Failure(reason: "signal \(signal) killed it") }
    let code = (status >> 8) & 0xff
    guard code == 0 else { throw Failure(reason: "it exited with code \(code)") }
    do throws(StorageError) {
      let bytes = try InputFile(printed.path).contents(limit: RewardProcess.mostPrinted)
      return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    } catch {
      throw Failure(reason: "its output cannot be read from \(folder.path): \(error.reason)")
    }
  }

  /// The child processes of this one, adopted ones included.
  private static func children() -> Set<pid_t> {
    let threads = (try? FileSystem.names(in: "/proc/self/task")) ?? []
    return Set(
      threads.flatMap { thread in
        let bytes = (try? InputFile("/proc/self/task/\(thread)/children").contents()) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
      })
  }

  /// Kills and reaps all children but `others`, and the orphans that their end makes children.
  private static func endChildren(except others: Set<pid_t>) {
    let end = ContinuousClock.now + .seconds(5)
    while case let left = children().subtracting(others), !left.isEmpty, ContinuousClock.now < end {
      for child in left { kill(child, SIGKILL) }
      // A child that cannot be killed, as one of another user, must not stop this process.
      var status: Int32 = 0
      for child in left where waitpid(child, &status, WNOHANG) == 0 { usleep(1000) }
    }
  }

  private func start(
    reading input: String, writing output: String, errors: ClosingPipe, lifeline: ClosingPipe
  ) throws(Failure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(
      &actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, errors.writing, STDERR_FILENO)
    posix_spawn_file_actions_adddup2(&actions, lifeline.reading, APUS_LIFELINE)
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
      guard let file = Int32(name), file > APUS_LIFELINE else { continue }
      posix_spawn_file_actions_addclose(&actions, file)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Default signal handling, as in a user's shell: a rank ignores these signals.
    var (none, ignored) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigemptyset(&ignored)
    for number in [SIGPIPE, SIGXFSZ] { sigaddset(&ignored, number) }
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &ignored)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let words = [APUS_SUPERVISOR, text]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let code = posix_spawn(&process, "/proc/self/exe", &actions, &attributes, &arguments, environ)
    guard code == 0 else {
      throw Failure(reason: "it cannot be started: \(String(cString: strerror(code)))")
    }
    return process
  }

  /// Waits, without reaping it, until `process` has ended, exceeds a limit or is stopped; returns the
  /// failure.
  private func failure(
    of process: pid_t, writing output: String, showing errors: inout CommandErrors,
    isStopped: () throws -> Bool
  ) throws -> Failure? {
    let end = ContinuousClock.now + .seconds(seconds)
    var nextQuestion = ContinuousClock.now
    while true {
      var information = siginfo_t()
      let code = waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT)
      if code == 0 && information.si_signo != 0 { return nil }
      let now = ContinuousClock.now
      if now >= end { return Failure(reason: "it took longer than \(seconds) seconds") }
      var file = stat()
      if stat(output, &file) == 0 && file.st_size > RewardProcess.mostPrinted {
        return Failure(reason: "it printed more than \(RewardProcess.mostPrinted >> 20) MiB")
      }
      if now >= nextQuestion {
        if try isStopped() { return Failure(reason: "the run was stopped") }
        nextQuestion = now + .milliseconds(50)
      }
      errors.show(waiting: 2)
    }
  }
}
