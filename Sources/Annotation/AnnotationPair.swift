// "Human judgements, kept as they are given. Text and numbers; no tensors."

import Crypto
import Files
import Tokenizers

/// Two answers to one prompt, for an annotator to compare.
package struct AnnotationPair: Sendable, Hashable {
  /// One of the answers.
  package struct Candidate: Sendable, Hashable {
    /// The answer: messages that begin and end with the assistant.
    package let answer: [Message]
    /// The source of the answer, such as the name of a model; it is not shown to annotators.
    package let source: String?

    package init(_ answer: [Message], source: String? = nil) {
      self.answer = answer
      self.source = source
    }
  }

  /// The prompt of both answers.
  package let prompt: [Message]
  /// The answer that is stored first; `Presentation` decides on which side it is shown.
  package let first: Candidate
  /// The answer that is stored second.
  package let second: Candidate

  package init(prompt: [Message], first: Candidate, second: Candidate) {
    self.prompt = prompt
    self.first = first
    self.second = second
  }

  /// The answer that is stored at `place`.
  package subscript(place: Place) -> Candidate { place == .first ? first : second }

  /// The identifier of the pair: 16 hexadecimal digits of a SHA-256 over its texts.
  ///
  /// It depends neither on the order of the answers nor on their sources, because these are one pair to
  /// an annotator.
  package var id: String {
    let answers = [first.answer, second.answer].map(Self.digest).sorted {
      $0.lexicographicallyPrecedes($1)
    }
    let whole = ContentDigest.sha256(of: Self.digest(of: prompt) + answers[0] + answers[1])
    return String(whole.prefix(16))
  }

  private static func digest(of messages: [Message]) -> [UInt8] {
    var hash = SHA256()
    for message in messages {
      // The length precedes the content, so that no content is mistaken for a message boundary.
      hash.update(data: Array("\(message.role.rawValue) \(message.content.utf8.count) ".utf8))
      hash.update(data: Array(message.content.utf8))
    }
    return Array(hash.finalize())
  }
}

/// The position of an answer in its pair, in storage order.
package enum Place: String, Sendable, Hashable, CaseIterable {
  case first
  case second

  /// The opposite place.
  package var other: Place { self == .first ? .second : .first }
}
