import Foundation
import Glibc

/// Child processes whose standard output is read.
enum ChildProcess {
  /// The process could not be started, or its exit code was not 0.
  struct Failed: Error {
    /// The exit code; as a shell's if a signal ended the process or it could not be started.
    let code: Int32
  }

  /// Runs `command` and returns its standard output; its standard error goes to the file `errors`.
  ///
  /// The child stays in this program's process group, so that Ctrl-C reaches it too; Foundation's
  /// `Process` would give it its own.
  static func output(of command: [String], errors: String) throws(Failed) -> String {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Failed(code: 126) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    posix_spawn_file_actions_addopen(
      &actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var child = pid_t()
    let status = posix_spawnp(&child, command[0], &actions, nil, &arguments, environ)
    for argument in arguments { free(argument) }
    posix_spawn_file_actions_destroy(&actions)
    close(ends[1])
    let reading = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
    guard status == 0 else { throw Failed(code: 127) }
    let data = reading.readDataToEndOfFile()
    var end: Int32 = 0
    while waitpid(child, &end, 0) < 0 && errno == EINTR {}
    let signal = end & 0x7f
    let code = signal == 0 ? (end >> 8) & 0xff : 128 + signal
    guard code == 0 else { throw Failed(code: code) }
    return String(decoding: data, as: UTF8.self)
  }
}
