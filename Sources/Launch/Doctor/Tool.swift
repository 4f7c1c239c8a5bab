import Foundation
import Glibc
import Synchronization

/// Programs of the system that are run to their end.
package enum Tool {
  /// The end of a program.
  package struct Outcome: Equatable, Sendable {
    /// The exit code; as a shell's if a signal ended the program, and 127 if it does not exist.
    package let code: Int32
    package let output: String
    package let errors: String

    package init(code: Int32, output: String = "", errors: String = "") {
      self.code = code
      self.output = output
      self.errors = errors
    }

    /// The last line of the errors with words, for a sentence.
    package var lastError: String {
      errors.split(whereSeparator: \.isNewline).last { $0.contains { $0.isLetter } }
        .map(String.init) ?? "exit code \(code)"
    }
  }

  /// Runs `words`, the program by its name in PATH or its path, with `variables` changed in its
  /// environment (nil removes one); nil when it has not ended after `seconds`, and is killed.
  package static func run(
    _ words: [String], variables: [String: String?] = [:], seconds: Double
  ) -> Outcome? {
    guard let process = try? RunningTool(words, variables: variables) else {
      return Outcome(code: 126, errors: "\(words[0]) cannot be started")
    }
    process.closeInput()
    return process.end(within: seconds)
  }

  /// Returns the results of `body` for all `items`, each computed on a thread of its own.
  package static func inParallel<Item: Sendable, Result: Sendable>(
    _ items: [Item], _ body: @escaping @Sendable (Item) -> Result
  ) -> [Result] {
    let results = Mutex([Int: Result]())
    let group = DispatchGroup()
    for (index, item) in items.enumerated() {
      group.enter()
      let thread = Thread {
        let result = body(item)
        results.withLock { $0[index] = result }
        group.leave()
      }
      thread.start()
    }
    group.wait()
    return results.withLock { found in items.indices.compactMap { found[$0] } }
  }
}

/// A program whose standard input is written and whose outputs are read while it runs.
///
/// `@unchecked Sendable`: one thread uses it; the readers share only what the condition guards.
final class RunningTool: @unchecked Sendable {
  private let process = Process()
  private let input = Pipe()
  private let output: Reader
  private let errors: Reader

  /// Starts `words` as ``Tool/run(_:variables:seconds:)`` does.
  init(_ words: [String], variables: [String: String?] = [:]) throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    var environment = ProcessInfo.processInfo.environment
    for (name, value) in variables { environment[name] = value }
    process.environment = environment
    let (outputPipe, errorPipe) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = outputPipe
    process.standardError = errorPipe
    // A child inherits the signals that this thread blocks, and mpirun needs them.
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
    output = Reader(outputPipe)
    errors = Reader(errorPipe)
  }

  /// Writes a line to its standard input; ignores a closed one, which its end explains.
  func send(_ line: String) {
    try? input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
  }

  func closeInput() { try? input.fileHandleForWriting.close() }

  /// Returns the next line of its output; nil at the end, or when `deadline` has passed.
  func line(until deadline: ContinuousClock.Instant) -> String? { output.line(until: deadline) }

  /// Waits for its end and returns it; nil when it has not ended after `seconds`, and is killed.
  func end(within seconds: Double) -> Tool.Outcome? {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while process.isRunning, ContinuousClock.now < deadline { usleep(2000) }
    let isLate = process.isRunning
    if isLate {
      // mpirun ends its ranks at SIGTERM.
      process.terminate()
      for _ in 0..<500 where process.isRunning { usleep(2000) }
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
    process.waitUntilExit()
    // A process that it has left behind may hold its outputs open.
    let grace = ContinuousClock.now + .seconds(0.5)
    let (text, errorText) = (output.text(until: grace), errors.text(until: grace))
    if isLate { return nil }
    let status = process.terminationStatus
    return Tool.Outcome(
      code: process.terminationReason == .exit ? status : 128 + status, output: text,
      errors: errorText)
  }

  /// Reads a pipe on a thread of its own.
  private final class Reader: @unchecked Sendable {
    // Sendable: the condition guards the text.
    private let condition = NSCondition()
    private var bytes: [UInt8] = []
    private var isAtEnd = false

    init(_ pipe: Pipe) {
      let handle = pipe.fileHandleForReading
      Thread { [self] in
        while case let data = handle.availableData, !data.isEmpty { append(data) }
        condition.lock()
        isAtEnd = true
        condition.broadcast()
        condition.unlock()
      }.start()
    }

    private func append(_ data: Data) {
      condition.lock()
      bytes += data
      condition.broadcast()
      condition.unlock()
    }

    func line(until deadline: ContinuousClock.Instant) -> String? {
      condition.lock()
      defer { condition.unlock() }
      while true {
        if let end = bytes.firstIndex(of: 10) {
          defer { bytes.removeFirst(end + 1) }
          return String(decoding: bytes[..<end], as: UTF8.self)
        }
        guard !isAtEnd, wait(until: deadline) else { return nil }
      }
    }

    /// The text that no line has returned, when the pipe is at its end or `deadline` has passed.
    func text(until deadline: ContinuousClock.Instant) -> String {
      condition.lock()
      defer { condition.unlock() }
      while !isAtEnd, wait(until: deadline) {}
      return String(decoding: bytes, as: UTF8.self)
    }

    private func wait(until deadline: ContinuousClock.Instant) -> Bool {
      let rest = (deadline - ContinuousClock.now).components
      let seconds = Double(rest.seconds) + 1e-18 * Double(rest.attoseconds)
      return seconds > 0 && condition.wait(until: Date(timeIntervalSinceNow: seconds))
    }
  }
}
