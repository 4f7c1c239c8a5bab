// "Human judgements, kept as they are given. Text and numbers; no tensors."

import Crypto
import Tokenizers

/// Two answers to one prompt, which somebody is asked to compare.
public struct AnnotationPair: Sendable, Hashable {
  /// One of the answers.
  public struct Candidate: Sendable, Hashable {
    /// The answer: messages that begin and end with the assistant.
    public let answer: [Message]
    /// Where it comes from, such as the name of a model; no annotator is told.
    public let source: String?

    /// `answer`, which comes from `source`.
    public init(_ answer: [Message], source: String? = nil) {
      self.answer = answer
      self.source = source
    }
  }

  /// What both answer.
  public let prompt: [Message]
  /// The answer that is kept first; on which side it is shown is another matter.
  public let first: Candidate
  /// The other one.
  public let second: Candidate

  /// The pair of `first` and `second` after `prompt`.
  public init(prompt: [Message], first: Candidate, second: Candidate) {
    self.prompt = prompt
    self.first = first
    self.second = second
  }

  /// The answer that is kept at `place`.
  public subscript(place: Place) -> Candidate { place == .first ? first : second }

  /// Whether there is nothing to compare.
  public var isOfEqualAnswers: Bool { first.answer == second.answer }

  /// What names the pair: 16 hexadecimal digits of a SHA-256 over its texts.
  ///
  /// The same for both orders of the answers, and whatever their sources: to an annotator these are
  /// one pair.
  public var id: String {
    let answers = [first.answer, second.answer].map(Self.digest).sorted {
      $0.lexicographicallyPrecedes($1)
    }
    let whole = SHA256.hash(data: Self.digest(of: prompt) + answers[0] + answers[1])
    return whole.prefix(8).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  private static func digest(of messages: [Message]) -> [UInt8] {
    var hash = SHA256()
    for message in messages {
      // No content can pass for the border between two messages: its length stands before it.
      hash.update(data: Array("\(message.role.rawValue) \(message.content.utf8.count) ".utf8))
      hash.update(data: Array(message.content.utf8))
    }
    return Array(hash.finalize())
  }
}

/// Which of a pair's answers, in the order in which they are kept.
public enum Place: String, Sendable, Hashable, CaseIterable {
  /// The one kept first.
  case first
  /// The other one.
  case second

  /// The place that this is not.
  public var other: Place { self == .first ? .second : .first }
}
