/// The role of a message's author.
package enum Role: String, Sendable, Hashable, CaseIterable {
  /// The instructions for a conversation; at most one message, at its start.
  case system
  /// The person who prompts the model.
  case user
  /// The model.
  case assistant
}

/// One message of a conversation.
package struct Message: Sendable, Hashable {
  package let role: Role
  package let content: String

  package init(_ role: Role, _ content: String) {
    self.role = role
    self.content = content
  }
}

/// The messages of a conversation, in order.
package struct Conversation: Sendable, Hashable {
  package let messages: [Message]

  package init(_ messages: [Message]) {
    self.messages = messages
  }
}
