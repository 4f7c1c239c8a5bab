import Jinja

// The templates in Jinja, in which Hugging Face keeps them: `chat_template` of tokenizer_config.json.
// transformers' `apply_chat_template` renders the same text; Goldens/chat.py checks.

extension ChatTemplate {
  /// The template in Jinja.
  ///
  /// - Parameter endMarkerIsToken: Whether the tokenizer has the marker that ends a turn as a special
  ///   token; where it has not, its end of text stands there.
  func jinja(endMarkerIsToken: Bool) -> String {
    let end = endMarkerIsToken ? "'\(endMarker ?? "")'" : "eos_token"
    switch self {
    case .chatml:
      return "{% for message in messages %}"
        + "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + \(end) + '\\n' }}"
        + "{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    case .llama3:
      let header = { (role: String) in "'<|start_header_id|>' + \(role) + '<|end_header_id|>\\n\\n'"
      }
      return "{{ '<|begin_of_text|>' }}{% for message in messages %}"
        + "{{ \(header("message['role']")) + message['content'] + \(end) }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ \(header("'assistant'")) }}{% endif %}"
    case .plain:
      return "{% for message in messages %}{{ message['content'] }}"
        + "{% if message['role'] == 'assistant' %}{{ eos_token }}{% else %}{{ '\\n' }}{% endif %}"
        + "{% endfor %}"
    case .published(let template): return template.source
    }
  }

  /// The template in Jinja, as it is kept with `tokenizer`.
  public func jinja(for tokenizer: any Tokenizer) -> String {
    jinja(endMarkerIsToken: endMarker.flatMap { tokenizer.specialToken($0) } != nil)
  }

  /// The built-in template whose Jinja with `tokenizer` is exactly `text`; nil when it is another.
  init?(jinja text: String, for tokenizer: any Tokenizer) {
    let own = Self.builtIn.first { $0.jinja(for: tokenizer).utf8.elementsEqual(text.utf8) }
    guard let own else { return nil }
    self = own
  }

  /// The special tokens that it is given by name: those that came with it, or `tokenizer`'s end of
  /// text for both ends.
  func specialTokens(of tokenizer: any Tokenizer) -> [PublishedTemplate.NamedToken] {
    if case .published(let template) = self { return template.specialTokens }
    let bytes = (try? tokenizer.bytes(of: tokenizer.endOfText)) ?? []
    let end = String(decoding: bytes, as: UTF8.self)
    return ["bos_token", "eos_token"].map { PublishedTemplate.NamedToken(name: $0, text: end) }
  }

  /// The template, ready to be rendered for `tokenizer`.
  func program(for tokenizer: any Tokenizer) -> Template {
    if case .published(let template) = self { return template.program }
    do {
      return try Template(jinja(for: tokenizer))
    } catch {
      preconditionFailure("the built-in template \(name): \(error)")
    }
  }
}
