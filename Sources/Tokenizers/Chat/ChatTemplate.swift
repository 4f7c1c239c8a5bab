/// How a conversation is written as one text.
///
/// Every template is Jinja, the built-in ones too (`ChatTemplate+Jinja.swift`). A user's "Hi" and the
/// answer "Hello" in those, with ⏎ for a line feed:
///
///     chatml   <|im_start|>user⏎Hi<|im_end|>⏎<|im_start|>assistant⏎Hello<|im_end|>⏎
///     llama3   <|begin_of_text|><|start_header_id|>user<|end_header_id|>⏎⏎Hi<|eot_id|>
///              <|start_header_id|>assistant<|end_header_id|>⏎⏎Hello<|eot_id|>
///     plain    Hi⏎Hello<|endoftext|>
///
/// Content stands in those as it is, never trimmed. Sources: OpenAI's ChatML; Meta's model card of
/// Llama 3, whose template trims content and is alike in all else.
public enum ChatTemplate: Sendable, Hashable {
  /// OpenAI's ChatML.
  case chatml
  /// Like that of Llama 3.
  case llama3
  /// No markers: the parts in lines, and the tokenizer's end of text after each answer.
  case plain
  /// One that came with a tokenizer.
  case published(PublishedTemplate)

  /// The built-in ones.
  public static let builtIn: [ChatTemplate] = [.chatml, .llama3, .plain]

  /// The built-in one called `name`; nil when there is none.
  public init?(named name: String) {
    guard let own = Self.builtIn.first(where: { $0.name == name }) else { return nil }
    self = own
  }

  /// The name of a built-in one; "published" for any other.
  public var name: String {
    switch self {
    case .chatml: "chatml"
    case .llama3: "llama3"
    case .plain: "plain"
    case .published: "published"
    }
  }

  /// Tells the template from any other: its name, or all that a published one states.
  public var identity: String {
    guard case .published(let template) = self else { return name }
    let tokens = template.specialTokens.map { "\($0.name)=\($0.text)" }
    return ([template.source] + tokens).joined(separator: "\n")
  }

  /// The texts that the built-in template wants as special tokens, of which a tokenizer may have some.
  public var markers: [String] {
    switch self {
    case .chatml: ["<|im_start|>", "<|im_end|>"]
    case .llama3: ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    case .plain, .published: []
    }
  }

  /// The marker that ends a turn; nil where it is the tokenizer's end of text.
  var endMarker: String? {
    switch self {
    case .chatml: "<|im_end|>"
    case .llama3: "<|eot_id|>"
    case .plain, .published: nil
    }
  }
}
