/// A chat template, which renders a conversation as one text.
///
/// Every template is Jinja, including the built-in ones (`ChatTemplate+Jinja.swift`). These render
/// a user's "Hi" and the assistant's "Hello" as follows, with ⏎ for a line feed:
///
///     chatml   <|im_start|>user⏎Hi<|im_end|>⏎<|im_start|>assistant⏎Hello<|im_end|>⏎
///     llama3   <|begin_of_text|><|start_header_id|>user<|end_header_id|>⏎⏎Hi<|eot_id|>
///              <|start_header_id|>assistant<|end_header_id|>⏎⏎Hello<|eot_id|>
///     plain    Hi⏎Hello<|endoftext|>
///
/// The built-in templates never trim content. Sources: OpenAI's ChatML; Meta's model card of Llama
/// 3, whose template trims content and is otherwise equal.
package enum ChatTemplate: Sendable, Hashable {
  /// OpenAI's ChatML.
  case chatml
  /// Llama 3's template, without trimming.
  case llama3
  /// No markers: the tokenizer's end of text follows each message of the assistant, a line feed
  /// each other message.
  case plain
  /// A template that came with a tokenizer.
  case published(PublishedTemplate)

  /// The built-in templates.
  package static let builtIn: [ChatTemplate] = [.chatml, .llama3, .plain]

  /// Finds the built-in template called `name`; nil when there is none.
  package init?(named name: String) {
    guard let own = Self.builtIn.first(where: { $0.name == name }) else { return nil }
    self = own
  }

  /// The name of a built-in template; "published" for any other.
  package var name: String {
    switch self {
    case .chatml: "chatml"
    case .llama3: "llama3"
    case .plain: "plain"
    case .published: "published"
    }
  }

  /// A text that identifies the template: its name, or a published template's source and special
  /// tokens.
  package var identity: String {
    guard case .published(let template) = self else { return name }
    let tokens = template.specialTokens.map { "\($0.name)=\($0.text)" }
    return (template.sources + tokens).joined(separator: "\n")
  }

  /// The texts that a built-in template uses as special tokens; a tokenizer may lack some.
  package var markers: [String] {
    switch self {
    case .chatml: ["<|im_start|>", "<|im_end|>"]
    case .llama3: ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    case .plain, .published: []
    }
  }

  /// The marker that ends a turn; nil when the tokenizer's end of text does.
  var endMarker: String? {
    switch self {
    case .chatml: "<|im_end|>"
    case .llama3: "<|eot_id|>"
    case .plain, .published: nil
    }
  }
}
