extension TokenizerFile {
  private static let specialTokensName = "special_tokens_map.json"

  /// The chat template kept with the tokenizer in the folder or beside the tokenizer.json at `path`;
  /// nil when there is none.
  ///
  /// Read from chat_template.jinja, as transformers writes it since version 5, or else from
  /// tokenizer_config.json. Throws `TokenizerError.unusableTemplate` when it is no Jinja, or uses what
  /// is not supported.
  public static func template(
    from path: String, for tokenizer: any Tokenizer
  ) throws(TokenizerError) -> ChatTemplate? {
    let folder = try FileBytes.isFolder(path) ? path : FileBytes.parent(of: path)
    let file = FileBytes.join(folder, templateName)
    let configuration = FileBytes.join(folder, configurationName)
    let document = FileBytes.exists(configuration) ? try JSONFile(path: configuration) : nil
    let source: String
    let place: String
    if FileBytes.exists(file) {
      source = String(decoding: try FileBytes.read(file), as: UTF8.self)
      place = file
    } else {
      guard let document, let value = document.root["chat_template"], !value.isNull else {
        return nil
      }
      // Several templates by name come as a list.
      let named = value.array?.first { $0["name"]?.string == "default" }
      guard let text = value.string ?? named?["template"]?.string else {
        throw document.invalid("chat_template", "a text")
      }
      source = text
      place = configuration
    }
    if let own = ChatTemplate(jinja: source, for: tokenizer) { return own }
    return .published(
      try PublishedTemplate(
        source, specialTokens: try namedTokens(document, in: folder), path: place))
  }

  /// The special tokens by name that transformers gives a template: those of the configuration, and
  /// of a file of older versions those that it leaves out.
  private static func namedTokens(
    _ configuration: JSONFile?, in folder: String
  ) throws(TokenizerError) -> [PublishedTemplate.NamedToken] {
    let older = FileBytes.join(folder, specialTokensName)
    let files = [configuration, FileBytes.exists(older) ? try JSONFile(path: older) : nil]
    var tokens: [PublishedTemplate.NamedToken] = []
    for (name, value) in files.compactMap({ $0?.root.members }).joined() {
      guard name.hasSuffix("_token"), !tokens.contains(where: { $0.name == name }),
        let text = value.string ?? value["content"]?.string
      else { continue }
      tokens.append(PublishedTemplate.NamedToken(name: name, text: text))
    }
    return tokens
  }
}
