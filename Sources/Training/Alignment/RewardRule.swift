import Foundation

/// Rewards by a regular expression, or by a command of the user's.
///
/// The command is given to the shell and reads one JSON object a line on standard input,
///
///     {"answer":"…","prompt":"…","reference":"…"}     reference: the data's own answer, if any
///
/// and prints a number for each, a line each. A command that fails, takes too long, or prints
/// something else is counted, its answers are worth 0, and the run goes on.
final class RewardRule: @unchecked Sendable {
  // Sendable: asked by one thread of rank 0; the expression is read only.

  /// What is judged.
  struct Case: Codable {
    let prompt: String
    let answer: String
    let reference: String?
  }

  private enum Kind {
    case expression(Regex<AnyRegexOutput>)
    case command(String, seconds: Double)
  }

  private let kind: Kind
  /// How often the command failed, and why the first time.
  private(set) var failures: (count: Int, first: String) = (0, "")

  /// Nil where neither is given.
  init?(_ options: RewardSourceOptions) {
    if let rule = options.rule, let expression = try? Regex(rule) {
      kind = .expression(expression)
    } else if let command = options.command {
      kind = .command(command, seconds: options.timeLimit)
    } else {
      return nil
    }
  }

  /// A number for each of `cases`.
  func rewards(_ cases: [Case]) throws -> [Double] {
    switch kind {
    case .expression(let expression):
      return cases.map { $0.answer.firstMatch(of: expression) == nil ? 0 : 1 }
    case .command(let command, let seconds):
      do {
        return try RewardRule.ask(command, cases, seconds: seconds)
      } catch let failure as Failure {
        if failures.count == 0 { failures.first = failure.reason }
        failures.count += 1
        return cases.map { _ in 0 }
      }
    }
  }

  private struct Failure: Error {
    let reason: String
  }

  private static func ask(_ command: String, _ cases: [Case], seconds: Double) throws -> [Double] {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-reward-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (input, output) = (
      folder.appendingPathComponent("in"), folder.appendingPathComponent("out")
    )
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var lines = Data()
    for item in cases {
      lines += try encoder.encode(item)
      lines.append(0x0A)
    }
    // Files, not pipes: whoever does not read or writes much cannot block us.
    try lines.write(to: input)
    try Data().write(to: output)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    process.standardInput = try FileHandle(forReadingFrom: input)
    process.standardOutput = try FileHandle(forWritingTo: output)
    do {
      try process.run()
    } catch {
      throw Failure(reason: "it cannot be started: \(error.localizedDescription)")
    }
    let deadline = Date(timeIntervalSinceNow: seconds)
    while process.isRunning && Date.now < deadline { usleep(2000) }
    if process.isRunning {
      process.terminate()
      usleep(200_000)
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      throw Failure(reason: "it took longer than \(seconds) seconds")
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(reason: "it ended with code \(process.terminationStatus)")
    }
    let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
    let numbers = text.split(separator: "\n").map {
      Double($0.trimmingCharacters(in: .whitespaces))
    }
    guard numbers.count == cases.count else {
      throw Failure(reason: "it printed \(numbers.count) lines for \(cases.count) answers")
    }
    return try numbers.map { number in
      guard let number, number.isFinite else { throw Failure(reason: "it printed no number") }
      return number
    }
  }
}
