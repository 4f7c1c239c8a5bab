import Files
import Foundation

/// Rewards by a regular expression, or by a user's command.
///
/// The shell runs the command, which reads one JSON object per line on standard input,
///
///     {"answer":"…","prompt":"…","reference":"…"}     reference: the answer in the data, if any
///
/// and prints one number per line for each. Completions without a number are counted; these are all of
/// them when the command fails, takes too long or prints another number of lines, and those on which
/// the expression takes too many steps.
struct RewardRule: Sendable {
  /// A completion to score.
  struct Case: Codable {
    let prompt: String
    let answer: String
    let reference: String?
  }

  private enum Kind {
    case expression(RegularExpression)
    case command(RewardProcess)
  }

  private let kind: Kind

  /// The last part of the rule's key: `rule` or `command`.
  var name: String {
    switch kind {
    case .expression: "rule"
    case .command: "command"
    }
  }

  /// Returns nil when neither a rule nor a command is set.
  init?(_ options: RewardSourceOptions) {
    if let rule = options.rule, let expression = RegularExpression(rule) {
      kind = .expression(expression)
    } else if let command = options.command {
      kind = .command(RewardProcess(text: command, seconds: options.timeLimit))
    } else {
      return nil
    }
  }

  /// Returns a reward for each of `cases`, NaN for a failure, and the cause of the failures.
  ///
  /// - Parameter isStopped: Returns true to end a command.
  func rewards(
    _ cases: [Case], isStopped: () throws -> Bool = { false }
  ) throws -> (numbers: [Double], failure: String?) {
    switch kind {
    case .expression(let expression):
      let isFound = cases.map { item in
        Result { try expression.isFound(in: item.answer) }
      }
      let numbers = isFound.map { (try? $0.get()).map { $0 ? 1.0 : 0.0 } ?? .nan }
      return (
        numbers,
        numbers.contains(where: \.isNaN)
          ? "it takes too many steps; write it without repetitions of repetitions, such as (.+)+"
          : nil
      )
    case .command(let command):
      do {
        return try RewardRule.run(command, cases, isStopped)
      } catch let failure as RewardProcess.Failure {
        return (cases.map { _ in .nan }, failure.reason)
      }
    }
  }

  private static func run(
    _ command: RewardProcess, _ cases: [Case], _ isStopped: () throws -> Bool
  ) throws -> (numbers: [Double], failure: String?) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var input = Data()
    for item in cases {
      input += try encoder.encode(item)
      input.append(0x0A)
    }
    let lines = try command.lines(for: input, isStopped: isStopped)
    guard lines.count == cases.count else {
      throw RewardProcess.Failure(
        reason: "it printed \(lines.count, "line") for \(cases.count, "completion")")
    }
    let numbers = lines.map { line in
      let number = Double(line.trimmingCharacters(in: .whitespaces)) ?? .nan
      return abs(number) <= Self.largest ? number : .nan
    }
    let first = zip(lines, numbers).first { $0.1.isNaN }
    return (
      numbers,
      first.map { "it printed \"\($0.0.prefix(40))\", which is not a number from −1e15 to 1e15" }
    )
  }

  /// The largest reward: a larger one would overflow in the loss.
  private static let largest = 1e15
}
