/// A part of a rendered conversation, with where it comes from.
public struct ChatPiece: Sendable, Hashable {
  /// What a text is to the conversation.
  public enum Origin: Sendable, Hashable {
    /// Written by the template.
    case template
    /// The name of a message's role, written where the template asks for it.
    case role
    /// What the message says.
    case content
    /// The end of a turn: what the template writes behind the content up to a special token, where
    /// an answer is complete.
    case endOfTurn
  }

  /// The text; a special token in its written form.
  public let text: String
  /// What it is there.
  public let origin: Origin
  /// The number of the message that it belongs to, from 0; nil for the template's own.
  public let message: Int?
  /// Whether a model learns to write it.
  public let isLearned: Bool

  /// `text` of `origin`, of the message numbered `message`.
  public init(_ text: String, _ origin: Origin, message: Int? = nil, isLearned: Bool = false) {
    self.text = text
    self.origin = origin
    self.message = message
    self.isLearned = isLearned
  }
}
