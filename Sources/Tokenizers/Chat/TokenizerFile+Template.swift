import Files

extension TokenizerFile {
  /// The name of the template for conversations with tools, where a tokenizer has several.
  static let toolUseName = "tool_use"

  /// Loads the chat template saved with a tokenizer, from the folder `path` or from beside the
  /// tokenizer.json at `path`; nil when there is none.
  ///
  /// The template comes from chat_template.jinja, which transformers writes since version 5, or
  /// else from tokenizer_config.json; of several named ones, it is "default" together with
  /// "tool_use". Throws `TokenizerError.unusableTemplate` when it is not valid
  /// Jinja or uses an unsupported feature.
  package static func template(
    from path: String, for tokenizer: any Tokenizer
  ) throws(TokenizerError) -> ChatTemplate? {
    let folder = try isFolder(path) ? path : FileSystem.parent(of: path)
    let file = FileSystem.join(folder, templateName)
    let configuration = FileSystem.join(folder, configurationName)
    let document = FileStatus.isPresent(configuration) ? try JSONFile(path: configuration) : nil
    let source: String
    var toolUse: String?
    let place: String
    if FileStatus.isPresent(file) {
      source = String(decoding: try contents(of: file), as: UTF8.self)
      let other = FileSystem.join(folder, "additional_chat_templates/\(toolUseName).jinja")
      if FileStatus.isPresent(other) {
        toolUse = String(decoding: try contents(of: other), as: UTF8.self)
      }
      place = file
    } else {
      guard let document, let value = document.root["chat_template"], !value.isNull else {
        return nil
      }
      // Several named templates form a list.
      func named(_ name: String) -> String? {
        value.array?.first { $0["name"]?.string == name }?["template"]?.string
      }
      guard let text = value.string ?? named("default") else {
        throw document.invalid("chat_template", "a string")
      }
      source = text
      toolUse = named(toolUseName)
      place = configuration
    }
    if toolUse == nil, let own = ChatTemplate(jinja: source, for: tokenizer) { return own }
    return .published(
      try PublishedTemplate(
        source, toolUse: toolUse,
        specialTokens: try TokenizerConfiguration(folder: folder).templateTokens, path: place)
    )
  }
}

extension TokenizerConfiguration {
  /// The named special tokens, which transformers passes to a chat template.
  fileprivate var templateTokens: [PublishedTemplate.NamedToken] {
    namedTokens(kind(of: .null)?.specialTokens ?? []).compactMap { name, entry in
      AddedTokenList.content(entry).map { PublishedTemplate.NamedToken(name: name, text: $0) }
    }
  }
}
