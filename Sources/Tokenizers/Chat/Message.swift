/// Who speaks in a conversation.
public enum Role: String, Sendable, Hashable, CaseIterable {
  /// The instructions that stand above a conversation; at most once, at its start.
  case system
  /// The one who asks.
  case user
  /// The model.
  case assistant
}

/// What one side says, once.
public struct Message: Sendable, Hashable {
  /// Who says it.
  public let role: Role
  /// What is said.
  public let content: String

  /// `content`, said by `role`.
  public init(_ role: Role, _ content: String) {
    self.role = role
    self.content = content
  }
}

/// Messages in the order in which they were said.
public struct Conversation: Sendable, Hashable {
  /// The messages.
  public let messages: [Message]

  /// The conversation of `messages`.
  public init(_ messages: [Message]) {
    self.messages = messages
  }
}
