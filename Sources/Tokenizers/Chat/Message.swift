import Files

/// The role of a message's author.
package enum Role: String, Sendable, Hashable, CaseIterable {
  /// The instructions for a conversation.
  case system
  /// The person who prompts the model.
  case user
  /// The model.
  case assistant
  /// A tool that the model called; the content is its result.
  case tool
}

/// One message of a conversation.
package struct Message: Sendable, Hashable {
  /// The form of a content in its record, which a template can tell apart.
  package enum Form: Sendable, Hashable {
    case text
    /// A list of text parts.
    case parts([String])
    /// No content, beside tool calls.
    case absent
  }

  package let role: Role
  /// The text of the content: its parts joined, or empty when it has none.
  package let content: String
  package let form: Form
  /// The other fields that a template may read, as in the record: `tool_calls`, `tool_call_id`,
  /// `name`, `reasoning_content` and others; an object.
  package let fields: JSONValue
  /// The field of the record that takes a message of the assistant out of the loss, such as
  /// `messages[1].weight`; nil when the message is in it.
  package let maskedBy: String?

  package init(
    _ role: Role, _ content: String, fields: JSONValue = .object([]), maskedBy: String? = nil
  ) {
    self.role = role
    self.content = content
    form = .text
    self.fields = fields
    self.maskedBy = maskedBy
  }

  package init(
    _ role: Role, parts: [String]?, fields: JSONValue = .object([]), maskedBy: String? = nil
  ) {
    self.role = role
    content = parts?.joined() ?? ""
    form = parts.map(Form.parts) ?? .absent
    self.fields = fields
    self.maskedBy = maskedBy
  }

  /// The name of the field of tool calls.
  package static let toolCallsField = "tool_calls"

  /// True when the message calls tools.
  package var callsTools: Bool { fields[Self.toolCallsField]?.array?.isEmpty == false }

  /// True when the message is an answer in the loss.
  package var isInLoss: Bool { role == .assistant && maskedBy == nil }

  /// The names of the fields beside role and content.
  package var fieldNames: [String] { fields.members?.map(\.key) ?? [] }
}

/// The messages of a conversation, in order.
package struct Conversation: Sendable, Hashable {
  package let messages: [Message]
  /// The tools that the model may call, a list of JSON schemas; nil when the record has none.
  package let tools: JSONValue?

  package init(_ messages: some Sequence<Message>, tools: JSONValue? = nil) {
    self.messages = Array(messages)
    self.tools = tools
  }

  /// The messages before the last answer, or all when the conversation does not end with one.
  package var prompt: Conversation {
    messages.last?.role == .assistant
      ? Conversation(messages.dropLast(), tools: tools) : self
  }

  /// True when the conversation holds more than texts: tools, tool calls or other fields.
  package var hasToolsOrFields: Bool {
    tools != nil || messages.contains { !$0.fieldNames.isEmpty }
  }
}

extension Conversation: ExpressibleByArrayLiteral {
  package init(arrayLiteral messages: Message...) { self.init(messages) }
}
