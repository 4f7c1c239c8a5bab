/// A location in the configuration.
package enum ConfigurationPlace: Equatable, Sendable, CustomStringConvertible {
  /// A line of a file, from 1.
  case line(Int, of: String)
  /// A file as a whole.
  case file(String)
  /// An override, as given to `--set`.
  case override(String)

  /// The location as it begins the sentence of an error.
  package var description: String {
    switch self {
    case .line(let line, of: let file): "\(file) line \(line)"
    case .file(let file): file
    case .override(let text): "--set \(text)"
    }
  }

  var isOverride: Bool {
    if case .override = self { return true }
    return false
  }
}

/// A key in the configuration that no code reads.
package struct UnknownKey: Equatable, Sendable {
  /// The dotted path of the key, with its sections.
  package let path: String
  package let place: ConfigurationPlace
  /// The most similar known key, if one is similar enough.
  package let nearest: String?
  /// The name that replaced this key, if it was renamed.
  package var newName: String?
  /// A phase that has this key, when the one that was read has not.
  package var otherPhase: String?
  /// The key of that phase, when `path` is its name in other trainers.
  package var otherName: String?
}

/// An error in a configuration; every case is for the user to correct (exit code 2).
package enum ConfigurationError: Error, Equatable, Sendable {
  /// The file cannot be opened or read.
  case unreadable(file: String, reason: String)
  /// The file has more than `limit` bytes.
  case tooLarge(file: String, limit: Int)
  /// The line is not UTF-8.
  case notUTF8(file: String, line: Int)
  /// The text is not YAML.
  case syntax(file: String, line: Int, column: Int, problem: String)
  /// The top level of the file is a list or a scalar.
  case notAMapping(place: ConfigurationPlace, found: String)
  /// The YAML uses a feature that configurations may not use.
  case unsupported(place: ConfigurationPlace, what: String, remedy: String)
  /// A key occurs twice in one map; `place` is the second occurrence, or the first if the second is
  /// not known.
  case duplicateKey(key: String, place: ConfigurationPlace)
  /// An override is not of the form `key.path=value`, or does not fit the file.
  case malformedOverride(String, reason: String)
  /// A required key is absent; `similar` is an unread key with a similar name.
  case missing(key: String, file: String, similar: UnknownKey?)
  /// The value does not have the type of the key.
  case wrongType(key: String, place: ConfigurationPlace, expected: String, found: String)
  /// The value has the right type but is outside the range of the key.
  case outOfRange(key: String, place: ConfigurationPlace, value: String, range: String)
  /// Keys that no code reads, in the order of the file.
  case unknownKeys([UnknownKey])
  /// A value that the reader admits but the code that read it refuses.
  case rejected(key: String, place: ConfigurationPlace, reason: String)
}

extension ConfigurationError: CustomStringConvertible {
  /// The error in one sentence: where, what, why, and what to do.
  package var description: String {
    switch self {
    case .unreadable(let file, let reason):
      "The configuration \(file) cannot be read: \(reason); check the path and its permissions."
    case .tooLarge(let file, let limit):
      "The configuration \(file) is larger than \(limit) bytes; check that it is the right file."
    case .notUTF8(let file, let line):
      "\(file) line \(line): the text is not UTF-8; save the file in UTF-8."
    case .syntax(let file, let line, let column, let problem):
      "\(file) line \(line) column \(column): this is not valid YAML: \(problem); "
        + Self.hint(problem)
    case .notAMapping(let place, let found):
      "\(place): a configuration is a list of lines \"key: value\", not \(found)."
    case .unsupported(let place, let what, let remedy):
      "\(place): a configuration cannot use \(what); \(remedy)."
    case .duplicateKey(let key, let place):
      "\(place): the key \(YAMLText.doubleQuoted(key)) occurs twice in its section; remove one."
    case .malformedOverride(let text, let reason):
      "--set \(text): \(reason); an override has the form key.path=value."
    case .missing(let key, let file, let similar):
      "\(file): the required key \(key) is missing; "
        + (similar.map { "is it misspelt as \($0.path) (\($0.place))?" } ?? "add it.")
    case .wrongType(let key, let place, let expected, let found):
      "\(place): \(key) must be \(expected), not \(found)."
    case .outOfRange(let key, let place, let value, let range):
      "\(place): \(key) is \(value), but it must be \(range)."
    case .unknownKeys(let keys):
      Self.sentence(of: keys)
    case .rejected(let key, let place, let reason):
      "\(place): \(key) is refused: \(reason)."
    }
  }

  private static func sentence(of keys: [UnknownKey]) -> String {
    guard let first = keys.first else { return "The configuration has unknown keys." }
    var sentence = "\(first.place): there is no key \(first.path)"
    sentence +=
      first.newName.map { "; it was renamed to \($0)." }
      ?? first.otherPhase.map {
        "; \(first.otherName ?? "it") is a key of \($0): use apus \($0), or --phase \($0) with apus config."
      }
      ?? Spelling.remark(on: first.path).map { "; \($0)." }
      ?? first.nearest.map { "; did you mean \($0)?" }
      ?? "; apus config --phase PHASE --schema lists the keys of a phase."
    guard keys.count > 1 else { return sentence }
    let others = keys.dropFirst().map { key in
      "\(key.path) (\(key.place)"
        + (key.newName.map { ", renamed to \($0))" }
          ?? key.otherPhase.map { ", \(key.otherName ?? "a key") of \($0))" }
          ?? Spelling.remark(on: key.path).map { ": \($0))" }
          ?? key.nearest.map { ", nearest: \($0))" } ?? ")")
    }
    return sentence.dropLast() + " (also unknown: \(others.joined(separator: ", ")))"
      + sentence.suffix(1)
  }

  private static func hint(_ problem: String) -> String {
    if problem.contains("alias") {
      return "put a value that begins with * in quotes."
    }
    if problem.contains("another document") { return "put only one document in a file." }
    if problem.contains("tab") || problem.contains("cannot start any token") {
      return "indent with spaces, and put values with special characters in quotes."
    }
    return "check the indentation, the quotes and the brackets."
  }
}
