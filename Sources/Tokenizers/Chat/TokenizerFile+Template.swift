extension TokenizerFile {
  /// The chat template kept with `tokenizer` in the folder or beside the tokenizer.json at `path`;
  /// nil when there is none.
  ///
  /// Read from chat_template.jinja, as transformers writes it since version 5, or else from
  /// tokenizer_config.json. Throws `TokenizerError.foreignTemplate` when it is not exactly one of the
  /// built-in ones as they are written for `tokenizer`.
  public static func template(
    from path: String, for tokenizer: any Tokenizer
  ) throws(TokenizerError) -> ChatTemplate? {
    let folder = try FileBytes.isFolder(path) ? path : FileBytes.parent(of: path)
    let file = FileBytes.join(folder, templateName)
    if FileBytes.exists(file) {
      let text = String(decoding: try FileBytes.read(file), as: UTF8.self)
      return try builtIn(text, in: file, for: tokenizer)
    }
    let configuration = FileBytes.join(folder, configurationName)
    guard FileBytes.exists(configuration) else { return nil }
    let document = try JSONFile(path: configuration)
    let value = document.root["chat_template"] ?? .null
    if value.isNull { return nil }
    // Several templates by name come as a list.
    let named = value.array?.first { $0["name"]?.string == "default" }
    let text = value.string ?? named?["template"]?.string
    guard let text else { throw document.invalid("chat_template", "a text") }
    return try builtIn(text, in: configuration, for: tokenizer)
  }

  private static func builtIn(
    _ text: String, in path: String, for tokenizer: any Tokenizer
  ) throws(TokenizerError) -> ChatTemplate {
    guard let template = ChatTemplate(jinja: text, for: tokenizer) else {
      let beginning = text.prefix(40).map { $0.isNewline ? " " : $0 }
      throw .foreignTemplate(path: path, beginning: String(beginning))
    }
    return template
  }
}
