import Files
import Jinja

/// The programs of a chat template with the variables that every rendering has.
struct ChatProgram: Sendable {
  let template: Template
  /// The program for conversations with tools, where the template has a separate one.
  let toolUse: Template?
  let specialTokens: [PublishedTemplate.NamedToken]
  /// The forms in which the template reads a content that is a list of text parts, by the role of its
  /// message; `joined` for a role that is missing.
  var partsForms: [Role: PartsForm] = [:]

  init(_ template: ChatTemplate, tokenizer: any Tokenizer) {
    self.template = template.program(for: tokenizer)
    if case .published(let published) = template {
      toolUse = published.toolUse?.program
    } else {
      toolUse = nil
    }
    specialTokens = template.specialTokens(of: tokenizer)
    partsForms = probedPartsForms()
  }

  /// Returns the program that transformers chooses for `tools`.
  func program(for tools: JSONValue?) -> Template {
    tools == nil ? template : toolUse ?? template
  }

  /// Renders `conversation`; `MessageOrigins` gives the meaning of the pieces' origins.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses it.
  func render(
    _ conversation: Conversation, addGenerationPrompt: Bool = false
  ) throws(TokenizerError) -> [RenderedText.Piece] {
    let messages = conversation.messages
    let tools = conversation.tools.map {
      $0.input(MessageOrigins.tools(after: messages.count))
    }
    let variables =
      specialTokens.map { ($0.name, TemplateInput.text($0.text, .template)) } + [
        ("messages", .list(messages.indices.map { input(messages[$0], MessageOrigins($0)) })),
        ("tools", tools ?? .none), ("documents", .none),
        ("add_generation_prompt", .bool(addGenerationPrompt)),
      ]
    do {
      return try program(for: conversation.tools).render(variables).pieces
    } catch {
      throw .unrendered(reason: error.description)
    }
  }

  /// The names of the field for what the model thinks before its answer, in order of preference.
  private static let reasoningFields = ["reasoning_content", "thinking", "reasoning"]

  /// Returns the dictionary that the template sees of `message`.
  private func input(_ message: Message, _ origins: MessageOrigins) -> TemplateInput {
    var members: [(key: String, value: TemplateInput)] = [
      ("role", .text(message.role.rawValue, origins.role))
    ]
    switch message.form {
    case .absent: break
    case .text: members.append(("content", .text(message.content, origins.content)))
    case .parts(let parts):
      members.append(
        ("content", input(parts, origins, as: partsForms[message.role] ?? .joined)))
    }
    for (name, value) in message.fields.members ?? [] {
      let isCall = name == Message.toolCallsField
      members.append((name, value.input(isCall ? origins.toolCalls : origins.fields)))
    }
    // transformers' `_alias_reasoning_fields`.
    if let reasoning = Self.reasoningFields.lazy.compactMap({ message.fields[$0] }).first {
      let value = reasoning.input(origins.fields)
      members.removeAll { $0.key == "reasoning_content" }
      members.append(("reasoning_content", value))
      if message.fields["thinking"] == nil { members.append(("thinking", value)) }
    }
    return .dictionary(members)
  }
}

/// The origins of the characters that a message brings into a rendered text.
///
/// Number 0 is the template; message i has five numbers from 5i + 1 on, and the tools have the number
/// after those of the last message.
struct MessageOrigins {
  private let first: UInt32

  init(_ message: Int) { first = UInt32(5 * message + 1) }

  var role: Origin { Origin(first) }
  var content: Origin { Origin(first + 1) }
  var toolCalls: Origin { Origin(first + 2) }
  var fields: Origin { Origin(first + 3) }
  /// The keys and types of the parts of a content.
  var structure: Origin { Origin(first + 4) }

  static func tools(after messageCount: Int) -> Origin { MessageOrigins(messageCount).role }

  /// Returns the origin of a piece in a conversation of `messageCount` messages, and its message.
  static func meaning(
    of origin: Origin, messageCount: Int
  ) -> (origin: ChatPiece.Origin, message: Int?) {
    guard origin != .template else { return (.template, nil) }
    let (message, part) = (Int(origin.number) - 1).quotientAndRemainder(dividingBy: 5)
    if message == messageCount { return (.content, nil) }
    return (part == 0 ? .role : .content, message)
  }
}

extension JSONValue {
  /// Returns the value as a template sees it; all its characters have `origin`.
  fileprivate func input(_ origin: Origin) -> TemplateInput {
    switch self {
    case .null: .none
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .number(let value): .real(value)
    case .string(let text): .text(text, origin)
    case .array(let elements): .list(elements.map { $0.input(origin) })
    case .object(let members):
      .dictionary(members.map { ($0.key, $0.value.input(origin)) }, origin)
    }
  }
}
