import Files
import Glibc
import Processes

/// One start of `mpirun`, which is watched until it has ended.
///
/// Its standard error goes to that of this process at once, and is read on the way. SIGTERM and
/// SIGINT are blocked in `mpirun`, because it would kill the ranks a second later, saved or not: one
/// that is sent to it is found pending, and counts as a request to stop.
final class Attempt {
  private let process: SupervisedProcess
  private let errors: ClosingPipe
  private(set) var clues = FailureClues()
  /// The moment of the first request to stop.
  private var stop: ContinuousClock.Instant?
  private var lastSignal: ContinuousClock.Instant?
  private var end: ContinuousClock.Instant?

  init(_ words: [String]) throws(StorageError) {
    errors = try ClosingPipe()
    process = try SupervisedProcess(
      words, errors: errors.writing, blocking: [SIGTERM, SIGINT])
    errors.closeWriting()
    _ = fcntl(errors.reading, F_SETFL, O_NONBLOCK)
  }

  /// Returns the exit code when the attempt has ended; else nil, after at most `milliseconds`.
  func wait(milliseconds: Int32) -> Int32? {
    guard !process.hasEnded else { return finish() }
    var ready = pollfd(fd: errors.reading, events: Int16(POLLIN), revents: 0)
    if poll(&ready, 1, milliseconds) > 0, !pass() { usleep(useconds_t(milliseconds) * 1000) }
    return process.hasEnded ? finish() : nil
  }

  /// Ends all processes of the attempt and returns its exit code.
  @discardableResult
  func finish() -> Int32 {
    let outcome = process.end()
    while pass() {}
    return outcome.shellCode
  }

  /// Sends `number` to mpirun, which forwards SIGUSR1 and SIGUSR2 to all ranks.
  func send(_ number: Int32) {
    if let command = process.command { kill(command, number) }
  }

  /// Asks the ranks to save and to stop; after `grace` seconds, ends them.
  ///
  /// Called repeatedly: a rank that did not run yet has missed the first signal.
  func requestStop(grace: Double, at now: ContinuousClock.Instant = .now) {
    let start = stop ?? now
    stop = start
    if now >= start + .seconds(grace) { return requestEnd(at: now) }
    if let lastSignal, now < lastSignal + .seconds(1) { return }
    lastSignal = now
    send(SIGUSR2)
  }

  /// Ends the ranks, saved or not: mpirun does it within two seconds; otherwise all processes are
  /// killed.
  ///
  /// Called repeatedly.
  func requestEnd(at now: ContinuousClock.Instant = .now) {
    if let end {
      if now >= end + .seconds(4) { finish() }
    } else {
      end = now
      send(SIGHUP)
    }
  }

  /// True when mpirun has received SIGTERM or SIGINT.
  var isAskedToStop: Bool {
    guard let command = process.command,
      let bytes = try? InputFile("/proc/\(command)/status").contents()
    else { return false }
    let wanted: UInt64 = 1 << UInt64(SIGTERM - 1) | 1 << UInt64(SIGINT - 1)
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains { line in
      guard line.hasPrefix("ShdPnd:") || line.hasPrefix("SigPnd:") else { return false }
      return (UInt64(line.dropFirst(7).trimmed, radix: 16) ?? 0) & wanted != 0
    }
  }

  /// Forwards the bytes that have arrived; returns false when there were none.
  private func pass() -> Bool {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(errors.reading, &chunk, chunk.count)
    guard count > 0 else { return false }
    StandardError.write(chunk[..<count])
    clues.read(chunk[..<count])
    return true
  }
}

/// Standard error, whose closed reader must not end a run.
enum StandardError {
  static func write(_ bytes: ArraySlice<UInt8>) {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// Writes a line of the launcher.
  static func report(_ sentence: String) {
    write(Array("apus: \(sentence.visible())\n".utf8)[...])
  }
}
