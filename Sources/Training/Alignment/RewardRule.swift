import Foundation

/// Rewards by a regular expression, or by a command of the user's.
///
/// The command is given to the shell and reads one JSON object a line on standard input,
///
///     {"answer":"…","prompt":"…","reference":"…"}     reference: the data's own answer, if any
///
/// and prints a number for each, a line each. The answers that it has no number for, all of them when
/// it fails, takes too long or prints another number of lines, are counted, and the run goes on.
struct RewardRule: @unchecked Sendable {
  // Sendable: the expression is read only.

  /// What is judged.
  struct Case: Codable {
    let prompt: String
    let answer: String
    let reference: String?
  }

  private enum Kind {
    case expression(Regex<AnyRegexOutput>)
    case command(RewardCommand)
  }

  private let kind: Kind

  /// Nil where neither is given.
  init?(_ options: RewardSourceOptions) {
    if let rule = options.rule, let expression = try? Regex(rule) {
      kind = .expression(expression)
    } else if let command = options.command {
      kind = .command(RewardCommand(text: command, seconds: options.timeLimit))
    } else {
      return nil
    }
  }

  /// A number for each of `cases`, or NaN, and why there are answers without one.
  func rewards(_ cases: [Case]) throws -> (numbers: [Double], failure: String?) {
    switch kind {
    case .expression(let expression):
      return (cases.map { $0.answer.firstMatch(of: expression) == nil ? 0 : 1 }, nil)
    case .command(let command):
      do {
        return try RewardRule.ask(command, cases)
      } catch let failure as RewardCommand.Failure {
        return (cases.map { _ in .nan }, failure.reason)
      }
    }
  }

  private static func ask(
    _ command: RewardCommand, _ cases: [Case]
  ) throws -> (numbers: [Double], failure: String?) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var input = Data()
    for item in cases {
      input += try encoder.encode(item)
      input.append(0x0A)
    }
    let lines = try command.lines(for: input)
    guard lines.count == cases.count else {
      throw RewardCommand.Failure(
        reason: "it printed \(lines.count) lines for \(cases.count) answers")
    }
    let numbers = lines.map { line in
      let number = Double(line.trimmingCharacters(in: .whitespaces)) ?? .nan
      return number.isFinite ? number : .nan
    }
    let first = zip(lines, numbers).first { $0.1.isNaN }
    return (numbers, first.map { "it printed \"\($0.0.prefix(40))\", which is no finite number" })
  }
}
