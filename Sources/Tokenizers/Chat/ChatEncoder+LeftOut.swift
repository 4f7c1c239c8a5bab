import Files

extension ChatEncoder {
  /// Returns the names of the fields of messages that the template leaves out of `conversation`, as its
  /// text is the same without them, and `system` for a message of the system that it leaves out.
  ///
  /// transformers leaves them out as well. Tool calls are not among them, as `render` refuses their loss;
  /// neither are `ids`, names of fields that only identify a message or its author. The later messages of
  /// a very long conversation are not examined.
  package func fieldsLeftOut(
    of conversation: Conversation, except ids: (String) -> Bool
  ) -> Set<String> {
    let messages = conversation.messages
    let named = messages.indices.filter { messages[$0].fieldNames.contains { !ids($0) } }
    let system = messages.indices.filter {
      messages[$0].role == .system && !messages[$0].content.allSatisfy(\.isWhitespace)
    }
    guard !named.isEmpty || !system.isEmpty, let pieces = try? program.render(conversation) else {
      return []
    }
    let text = pieces.map(\.text).joined()
    let shown = Set(pieces.map(\.origin))
    var leftOut: Set<String> = []
    if system.contains(where: { !shown.contains(MessageOrigins($0).content) }) {
      leftOut.insert("system")
    }
    for index in named.prefix(Self.mostRenderedMessages / messages.count) {
      for name in messages[index].fieldNames where !ids(name) && name != Message.toolCallsField {
        var other = messages
        other[index] = messages[index].without(name)
        let rest = Conversation(other, tools: conversation.tools)
        if self.text(of: rest) == text { leftOut.insert(name) }
      }
    }
    return leftOut
  }

  private func text(of conversation: Conversation) -> String? {
    try? program.render(conversation).map(\.text).joined()
  }
}

extension Message {
  /// Returns the message without its field `name`.
  fileprivate func without(_ name: String) -> Message {
    let rest = JSONValue.object(fields.members?.filter { $0.key != name } ?? [])
    return switch form {
    case .text: Message(role, content, fields: rest, maskedBy: maskedBy)
    case .parts(let parts): Message(role, parts: parts, fields: rest, maskedBy: maskedBy)
    case .absent: Message(role, parts: nil, fields: rest, maskedBy: maskedBy)
    }
  }
}
