import Tokenizers

/// A training record, independent of its file's format.
package enum Record: Sendable, Hashable {
  /// A conversation with at least one answer; the assistant's answers are in the loss mask.
  case conversation(Conversation)
  /// Two answers to one prompt, one of them preferred.
  case pair(Preference)
  /// An answer to a prompt that is called good or bad.
  case unpaired(UnpairedPreference)
  /// A text with its class or its value.
  case labelled(text: String, label: Label)
  /// Words, each with its tag.
  case tagged(words: [String], tags: [String])
  /// A prompt without its answer.
  case prompt(Conversation)
}

/// A prompt with a chosen and a rejected answer.
package struct Preference: Sendable, Hashable {
  /// The prompt of both answers; it may hold earlier answers.
  package let prompt: Conversation
  /// The better answer: messages that begin and end with the assistant.
  package let chosen: [Message]
  /// The other answer, of the same form.
  package let rejected: [Message]
  /// The margin by which the chosen answer should lead; nil when the record has none.
  package let margin: Double?

  package init(
    prompt: Conversation, chosen: [Message], rejected: [Message], margin: Double? = nil
  ) {
    self.prompt = prompt
    self.chosen = chosen
    self.rejected = rejected
    self.margin = margin
  }
}

/// A prompt with one answer and its label, as KTO learns from it.
package struct UnpairedPreference: Sendable, Hashable {
  /// The prompt of the answer.
  package let prompt: Conversation
  /// The answer: messages that begin and end with the assistant.
  package let answer: [Message]
  /// True when the answer is good.
  package let isDesirable: Bool

  package init(prompt: Conversation, answer: [Message], isDesirable: Bool) {
    self.prompt = prompt
    self.answer = answer
    self.isDesirable = isDesirable
  }
}

/// The label of a text.
package enum Label: Sendable, Hashable {
  /// The name of a class.
  case name(String)
  /// A number: the index of a class, or a regression value.
  case number(Double)
}

/// A record with the place that it was read from.
package struct LocatedRecord: Sendable, Hashable {
  package let record: Record
  package let place: RecordPlace

  package init(_ record: Record, at place: RecordPlace) {
    self.record = record
    self.place = place
  }
}

/// A place in a file, described as `path:line`.
package struct RecordPlace: Sendable, Hashable, CustomStringConvertible {
  /// The path of the file.
  package let path: String
  /// The line on which the record begins, from 1.
  package let line: Int

  /// `path:line`.
  package var description: String { "\(path):\(line)" }
}

extension Record {
  /// The kind of record as a phrase for error sentences.
  ///
  /// `RecordSet.identity` hashes it, so changing a phrase changes the identity of existing data sets.
  package var kind: String {
    switch self {
    case .conversation: "a conversation"
    case .pair: "a preference pair"
    case .unpaired: "an answer with a label, good or bad (for method: kto)"
    case .labelled: "a labelled text"
    case .tagged: "words with tags"
    case .prompt: "a prompt without an answer"
    }
  }
}
