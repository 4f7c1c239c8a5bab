import Foundation
import Tokenizers

/// Writes lines of a `.jsonl` file.
enum JSONLine {
  /// Returns `value` as one line of JSON, with its members sorted by name.
  static func text(of value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// A prompt or an answer in JSON: a text, or a list of messages.
enum MessageText: Encodable {
  case plain(String)
  case messages([Message])

  /// Returns the function that writes the prompt and the answers of `pair`, all in the same form: as
  /// texts if each is one message, the prompt is the user's, and none begins like a dialogue of hh-rlhf;
  /// else as lists of messages.
  static func form(of pair: AnnotationPair) -> ([Message]) -> MessageText {
    let isAsked = pair.prompt.isEmpty || pair.prompt.map(\.role) == [.user]
    let answers = [pair.first.answer, pair.second.answer]
    let isPlain =
      isAsked && answers.allSatisfy { $0.map(\.role) == [.assistant] }
      && (answers.joined() + pair.prompt).allSatisfy { !$0.content.hasPrefix("\n\n") }
    return { isPlain ? .plain($0.first?.content ?? "") : .messages($0) }
  }

  private struct Item: Encodable {
    let role, content: String
  }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .plain(let text): try text.encode(to: encoder)
    case .messages(let messages):
      try messages.map { Item(role: $0.role.rawValue, content: $0.content) }.encode(to: encoder)
    }
  }
}
