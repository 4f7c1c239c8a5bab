import Foundation
import Glibc
import Synchronization

/// A program whose standard input is written and whose outputs are read while it runs.
///
/// It has a process group of its own, so that it can be killed with all that it started. Foundation's
/// `Process` would wait for what it leaves behind, such as the master connection of ssh.
///
/// `@unchecked Sendable`: one thread at a time uses it.
final class RunningTool: @unchecked Sendable {
  private let id: pid_t
  private var status: Int32?
  private var input: Int32
  private let output: Reader
  private let errors: Reader

  /// Held from the first pipe to the start, so that no other child inherits the pipes.
  private static let starting = Mutex(())

  /// Starts `words` as ``Tool/run(_:variables:seconds:)`` does; throws where the system cannot.
  init(_ words: [String], variables: [String: String?] = [:]) throws {
    var environment = ProcessInfo.processInfo.environment
    for (name, value) in variables { environment[name] = value }
    let (id, ends) = try Self.starting.withLock { _ in
      try Self.start(["/usr/bin/env"] + words, environment)
    }
    self.id = id
    input = ends[0]
    output = Reader(ends[1])
    errors = Reader(ends[2])
  }

  deinit { closeInput() }

  /// Starts a process, and returns its number and our ends of its standard streams.
  private static func start(
    _ words: [String], _ environment: [String: String]
  ) throws -> (pid_t, [Int32]) {
    var (theirs, ours): ([Int32], [Int32]) = ([], [])
    defer { for descriptor in theirs { close(descriptor) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else {
        let code = errno
        for descriptor in ours { close(descriptor) }
        throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EMFILE)
      }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      let isInput = stream == STDIN_FILENO
      theirs.append(ends[isInput ? 0 : 1])
      ours.append(ends[isInput ? 1 : 0])
      posix_spawn_file_actions_adddup2(&actions, theirs[theirs.count - 1], stream)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A child inherits the signals that this thread blocks or ignores, and mpirun needs them.
    var (none, all) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] =
      environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var id = pid_t()
    let code = posix_spawn(&id, words[0], &actions, &attributes, &arguments, &variables)
    guard code == 0 else {
      for descriptor in ours { close(descriptor) }
      throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EAGAIN)
    }
    return (id, ours)
  }

  /// Writes a line to its standard input; ignores a closed one, which its end explains.
  func send(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
  }

  func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  /// Returns the next line of its output; nil at the end, or when `deadline` has passed.
  func line(until deadline: ContinuousClock.Instant) -> String? { output.line(until: deadline) }

  /// True when it has ended.
  private var hasEnded: Bool {
    if status != nil { return true }
    var value: Int32 = 0
    if waitpid(id, &value, WNOHANG) == id { status = value }
    return status != nil
  }

  /// Waits for its end and returns it; nil when it has not ended after `seconds`, and is killed.
  func end(within seconds: Double) -> Tool.Outcome? {
    let isInTime = wait(seconds: seconds)
    if !isInTime {
      // mpirun ends its ranks at SIGTERM.
      kill(-id, SIGTERM)
      _ = wait(seconds: 1)
      kill(-id, SIGKILL)
      _ = wait(seconds: 1)
    }
    // What it has left behind may hold its outputs open.
    let grace = ContinuousClock.now + .seconds(0.5)
    let (text, errorText) = (output.text(until: grace), errors.text(until: grace))
    guard isInTime, let status else { return nil }
    let signal = status & 0x7f
    return Tool.Outcome(
      code: signal == 0 ? (status >> 8) & 0xff : 128 + signal, output: text, errors: errorText)
  }

  /// Waits for its end, and returns true when it has ended within `seconds`.
  private func wait(seconds: Double) -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !hasEnded {
      guard ContinuousClock.now < deadline else { return false }
      usleep(2000)
    }
    return true
  }

  /// Reads a pipe on a thread of its own.
  private final class Reader: @unchecked Sendable {
    // Sendable: the condition guards the text.
    private let condition = NSCondition()
    private var bytes: [UInt8] = []
    /// The place of the first byte that no line has returned.
    private var start = 0
    private var isAtEnd = false

    /// The most bytes that wait to be read; a program that prints more is no longer listened to.
    private static let most = 16 << 20

    init(_ descriptor: Int32) {
      let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      Thread { [self] in
        while case let data = handle.availableData, !data.isEmpty, append(data) {}
        condition.lock()
        isAtEnd = true
        condition.broadcast()
        condition.unlock()
      }.start()
    }

    /// Returns false when too much waits.
    private func append(_ data: Data) -> Bool {
      condition.lock()
      defer { condition.unlock() }
      bytes += data
      condition.broadcast()
      return bytes.count - start < Self.most
    }

    func line(until deadline: ContinuousClock.Instant) -> String? {
      condition.lock()
      defer { condition.unlock() }
      // A program that never stops must not be read for ever.
      while ContinuousClock.now < deadline {
        if let end = bytes[start...].firstIndex(of: 10) {
          defer { drop(to: end + 1) }
          return String(decoding: bytes[start..<end], as: UTF8.self)
        }
        guard !isAtEnd, wait(until: deadline) else { return nil }
      }
      return nil
    }

    private func drop(to place: Int) {
      start = place
      guard start > 1 << 16 else { return }
      bytes.removeFirst(start)
      start = 0
    }

    /// The text that no line has returned, when the pipe is at its end or `deadline` has passed.
    func text(until deadline: ContinuousClock.Instant) -> String {
      condition.lock()
      defer { condition.unlock() }
      while !isAtEnd, wait(until: deadline) {}
      return String(decoding: bytes[start...], as: UTF8.self)
    }

    private func wait(until deadline: ContinuousClock.Instant) -> Bool {
      let seconds = (deadline - ContinuousClock.now).asSeconds
      return seconds > 0 && condition.wait(until: Date(timeIntervalSinceNow: seconds))
    }
  }
}
