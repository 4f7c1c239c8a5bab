import Files
import Foundation
import Glibc
import Processes

/// A user's command that scores completions, as a separate process.
///
/// A ``SupervisedProcess``: all processes that it starts end with it, and with this rank, however it
/// ends. It inherits only its three standard streams, so that a hung one holds no connection of the
/// ranks.
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
    let errorPipe = try ClosingPipe()
    let process = try start(reading: given.path, writing: printed.path, errors: errorPipe)
    errorPipe.closeWriting()
    var errors = CommandErrors(errorPipe)
    let end = Result {
      try failure(of: process, writing: printed.path, showing: &errors, isStopped: isStopped)
    }
    let outcome = process.end()
    errors.finish()
    if let failure = try end.get() { throw failure }
    guard outcome.signal == 0 else {
      throw Failure(reason: "signal \(outcome.signal) killed it")
    }
    let code = outcome.code
    guard code == 0 else { throw Failure(reason: "it exited with code \(code)") }
    do throws(StorageError) {
      let bytes = try InputFile(printed.path).contents(limit: RewardProcess.mostPrinted)
      return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    } catch {
      throw Failure(reason: "its output cannot be read from \(folder.path): \(error.reason)")
    }
  }

  private func start(
    reading input: String, writing output: String, errors: ClosingPipe
  ) throws(Failure) -> SupervisedProcess {
    do {
      return try SupervisedProcess(
        ["/bin/sh", "-c", text], input: input, output: output, errors: errors.writing)
    } catch {
      throw Failure(reason: "it cannot be started: \(error.reason)")
    }
  }

  /// Waits, without reaping it, until `process` has ended, exceeds a limit or is stopped; returns the
  /// failure.
  private func failure(
    of process: SupervisedProcess, writing output: String, showing errors: inout CommandErrors,
    isStopped: () throws -> Bool
  ) throws -> Failure? {
    let end = ContinuousClock.now + .seconds(seconds)
    var nextQuestion = ContinuousClock.now
    while true {
      if process.hasEnded { return nil }
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
