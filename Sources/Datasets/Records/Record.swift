import Tokenizers

/// An example to learn from, whatever format it was written in.
public enum Record: Sendable, Hashable {
  /// A conversation that ends with the assistant: its answers are what is learned.
  case conversation(Conversation)
  /// Two answers to one prompt, of which one is the better.
  case pair(Preference)
  /// A text with its class or its value.
  case labelled(text: String, label: Label)
  /// Words, each with its tag.
  case tagged(words: [String], tags: [String])
  /// What is asked, without an answer; it ends with the user.
  case prompt([Message])
}

/// Two answers to one prompt, and which of them is the better.
public struct Preference: Sendable, Hashable {
  /// What both answer; it ends with the user.
  public let prompt: [Message]
  /// The better answer: messages that begin and end with the assistant.
  public let chosen: [Message]
  /// The other answer, of the same form.
  public let rejected: [Message]
  /// By how much the chosen answer should lead, when the data says so.
  public let margin: Double?

  /// The preference of `chosen` over `rejected` after `prompt`.
  public init(
    prompt: [Message], chosen: [Message], rejected: [Message], margin: Double? = nil
  ) {
    self.prompt = prompt
    self.chosen = chosen
    self.rejected = rejected
    self.margin = margin
  }
}

/// What a labelled text is labelled with.
public enum Label: Sendable, Hashable {
  /// The name of a class.
  case name(String)
  /// A number: the index of a class, or a value to regress on.
  case number(Double)
}

/// A record with the place that it was read from.
public struct LocatedRecord: Sendable, Hashable {
  /// The record.
  public let record: Record
  /// Where it stands.
  public let place: RecordPlace

  /// `record`, read from `place`.
  public init(_ record: Record, at place: RecordPlace) {
    self.record = record
    self.place = place
  }
}

/// A place in a file; it reads as `path:line`.
public struct RecordPlace: Sendable, Hashable, CustomStringConvertible {
  /// The path of the file.
  public let path: String
  /// The line on which the record begins, from 1.
  public let line: Int

  /// Line `line` of the file at `path`.
  public init(path: String, line: Int) {
    self.path = path
    self.line = line
  }

  /// `path:line`.
  public var description: String { "\(path):\(line)" }
}

extension Record {
  /// What it is, for people.
  public var kind: String {
    switch self {
    case .conversation: "a conversation"
    case .pair: "a preference pair"
    case .labelled: "a labelled text"
    case .tagged: "words with tags"
    case .prompt: "a prompt without an answer"
    }
  }
}
