import Jinja

// The built-in templates in Jinja, the language of `chat_template` in tokenizer_config.json.
// transformers' `apply_chat_template` renders the same text; Goldens/chat.py checks this.

extension ChatTemplate {
  /// Returns the template in Jinja.
  ///
  /// - Parameter endMarkerIsToken: True when the tokenizer has the marker that ends a turn as a
  ///   special token; otherwise the template uses the tokenizer's end of text.
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

  /// Returns the template in Jinja, as it is saved with `tokenizer`.
  package func jinja(for tokenizer: any Tokenizer) -> String {
    jinja(endMarkerIsToken: endMarker.flatMap { tokenizer.specialToken($0) } != nil)
  }

  /// Finds the built-in template whose Jinja for `tokenizer` equals `text`; nil when there is none.
  init?(jinja text: String, for tokenizer: any Tokenizer) {
    let own = Self.builtIn.first { $0.jinja(for: tokenizer).utf8.elementsEqual(text.utf8) }
    guard let own else { return nil }
    self = own
  }

  /// Returns the named special tokens for rendering: those that came with a published template, or
  /// `tokenizer`'s end of text as both `bos_token` and `eos_token`.
  func specialTokens(of tokenizer: any Tokenizer) -> [PublishedTemplate.NamedToken] {
    if case .published(let template) = self { return template.specialTokens }
    let bytes = (try? tokenizer.bytes(of: tokenizer.endOfText)) ?? []
    let end = String(decoding: bytes, as: UTF8.self)
    return ["bos_token", "eos_token"].map { PublishedTemplate.NamedToken(name: $0, text: end) }
  }

  /// Returns the parsed template for `tokenizer`.
  func program(for tokenizer: any Tokenizer) -> Template {
    if case .published(let template) = self { return template.program }
    do {
      return try Template(jinja(for: tokenizer))
    } catch {
      preconditionFailure("the built-in template \(name): \(error)")
    }
  }
}
