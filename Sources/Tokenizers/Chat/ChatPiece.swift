/// A part of a rendered conversation with its origin.
package struct ChatPiece: Sendable, Hashable {
  /// The source of a piece's text.
  package enum Origin: Sendable, Hashable {
    /// Text of the template.
    case template
    /// The name of a message's role, inserted by the template.
    case role
    /// The content of a message or another of its fields, such as its tool calls, or the tools: text
    /// in which no special token is found.
    case content
    /// The end of a turn: the template text after the content up to and including the special token
    /// that completes the message.
    case endOfTurn
  }

  /// The text; a special token in its written form.
  package let text: String
  package let origin: Origin
  /// The index of the message that it belongs to; nil for the template's own text.
  package let message: Int?
  /// True when the loss mask covers the piece.
  package let isInLoss: Bool

  package init(_ text: String, _ origin: Origin, message: Int? = nil, isInLoss: Bool = false) {
    self.text = text
    self.origin = origin
    self.message = message
    self.isInLoss = isInLoss
  }
}
