import Jinja

/// The form in which a template reads a content that is a list of text parts.
enum PartsForm: Sendable {
  /// The template writes every part of the list.
  case list
  /// The template writes the first part of the list only, and receives a list of one part: their texts
  /// joined.
  case firstPart
  /// The template writes strings only, and receives the texts of the parts joined. transformers passes
  /// the list even so; such a template fails on it or writes it as Python would print it.
  case joined
}

extension ChatProgram {
  /// Returns the value that the template receives for `parts`, read in `form`.
  func input(
    _ parts: [String], _ origins: MessageOrigins, as form: PartsForm
  ) -> TemplateInput {
    let texts: [String]
    switch form {
    case .joined: return .text(parts.joined(), origins.content)
    case .list: texts = parts
    case .firstPart: texts = [parts.joined()]
    }
    return .list(
      texts.map { text in
        .dictionary(
          [("type", .text("text", origins.structure)), ("text", .text(text, origins.content))],
          origins.structure)
      })
  }

  /// Returns for each role the form in which the template reads lists of parts, from renderings in which
  /// the origin of every character is known.
  func probedPartsForms() -> [Role: PartsForm] {
    Dictionary(uniqueKeysWithValues: Role.allCases.map { ($0, probedPartsForm(of: $0)) })
  }

  private func probedPartsForm(of role: Role) -> PartsForm {
    let all = Role.allCases.map { ($0, PartsForm.list) }
    for forms in [all, [(role, .list)]] {
      var probe = self
      probe.partsForms = Dictionary(uniqueKeysWithValues: forms)
      for messages in Self.probes(of: role) {
        guard let index = messages.firstIndex(where: { $0.role == role }),
          let pieces = try? probe.render(Conversation(messages))
        else { continue }
        let origins = MessageOrigins(index)
        // A template that writes the keys prints the list.
        if pieces.contains(where: { $0.origin == origins.structure }) { continue }
        let shown = pieces.filter { $0.origin == origins.content }.map(\.text).joined()
        if shown.contains("p") { return shown.contains("q") ? .list : .firstPart }
      }
    }
    return .joined
  }

  /// The conversations that show how a template reads contents of `role`, all with the parts p and q.
  private static func probes(of role: Role) -> [[Message]] {
    func message(_ role: Role, like other: Message? = nil) -> Message {
      Message(role, parts: ["p", "q"], fields: other?.fields ?? .object([]))
    }
    let turn = [message(.user), message(.assistant)]
    switch role {
    case .user, .assistant: return [turn]
    case .system: return [[message(.system)] + turn]
    case .tool:
      let results = Message.toolCallExamples.map { ($0, message(.tool, like: $0[1])) }
      return results.map { call, result in [turn[0], call[0], result, turn[1]] }
        + results.prefix(1).map { [turn[0], $1, turn[1]] }
    }
  }
}
