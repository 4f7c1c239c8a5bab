/// How a conversation is written as one text.
///
/// A user's "Hi" and the answer "Hello", with ⏎ for a line feed:
///
///     chatml   <|im_start|>user⏎Hi<|im_end|>⏎<|im_start|>assistant⏎Hello<|im_end|>⏎
///     llama3   <|begin_of_text|><|start_header_id|>user<|end_header_id|>⏎⏎Hi<|eot_id|>
///              <|start_header_id|>assistant<|end_header_id|>⏎⏎Hello<|eot_id|>
///     plain    Hi⏎Hello<|endoftext|>
///
/// Content stands in the text as it is, never trimmed. Sources: OpenAI's ChatML; Meta's model card
/// of Llama 3, whose template trims content and is alike in all else.
public enum ChatTemplate: String, Sendable, Hashable, CaseIterable {
  /// OpenAI's ChatML.
  case chatml
  /// Like that of Llama 3.
  case llama3
  /// No markers: the parts in lines, and the tokenizer's end of text after each answer.
  case plain

  /// The texts that are one special token each, where the tokenizer has them.
  public var markers: [String] {
    switch self {
    case .chatml: ["<|im_start|>", "<|im_end|>"]
    case .llama3: ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    case .plain: []
    }
  }

  /// The marker that ends a turn; nil where it is the tokenizer's end of text.
  var endMarker: String? {
    switch self {
    case .chatml: "<|im_end|>"
    case .llama3: "<|eot_id|>"
    case .plain: nil
    }
  }

  /// What stands before the first message.
  var beginning: String {
    self == .llama3 ? "<|begin_of_text|>" : ""
  }

  /// What stands between the end of one turn and the content of a message of `role`.
  func opening(of role: Role) -> String {
    switch self {
    case .chatml: "<|im_start|>\(role.rawValue)\n"
    case .llama3: "<|start_header_id|>\(role.rawValue)<|end_header_id|>\n\n"
    case .plain: ""
    }
  }

  /// Whether a message of `role` ends with the end of turn.
  func endsTurn(of role: Role) -> Bool {
    self != .plain || role == .assistant
  }

  /// What stands behind the content and the end of turn of a message of `role`.
  func closing(of role: Role) -> String {
    switch self {
    case .chatml: "\n"
    case .llama3: ""
    case .plain: role == .assistant ? "" : "\n"
    }
  }
}
