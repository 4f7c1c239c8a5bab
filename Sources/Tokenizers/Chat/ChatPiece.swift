/// A part of a rendered conversation, with where it comes from.
public struct ChatPiece: Sendable, Hashable {
  /// What a text is to the conversation.
  public enum Origin: Sendable, Hashable {
    /// Written by the template.
    case template
    /// What the message says.
    case content
    /// The end of a turn, one special token: where an answer is complete.
    case endOfTurn
  }

  /// The text; a special token in its written form.
  public let text: String
  /// Whose message it belongs to.
  public let role: Role
  /// What it is there.
  public let origin: Origin

  /// `text` of `origin`, in a message of `role`.
  public init(_ text: String, _ role: Role, _ origin: Origin) {
    self.text = text
    self.role = role
    self.origin = origin
  }
}
