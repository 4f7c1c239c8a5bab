import Files

/// Readers of the files of a folder as its class of transformers reads them.
extension TokenizerConfiguration {
  /// The contents of a tokenizer.json, the class that decides them (nil for `TokenizersBackend`), and
  /// the special tokens by name where the settings name none.
  typealias Contents = (
    root: JSONValue, kind: TokenizerClass?, usual: [TokenizerClass.NamedToken]
  )

  /// Returns the contents for `file`: a tokenizer.json, a vocab.txt or a model of sentencepiece.
  ///
  /// - Parameter rows: The number of ids of the model beside; nil without a model.
  func contents(of file: String, rows: Int?) throws(TokenizerError) -> Contents {
    let name = file.split(separator: "/").last.map(String.init) ?? file
    if name.hasSuffix(".model") {
      return try contents(of: SentencePieceModel(path: file), name, rows)
    }
    if name.hasSuffix(".txt") {
      _ = try kind(reading: TokenizerFile.vocabularyTextName, by: [.bert])
      let root = try VocabularyText.document(path: file, self)
      return try completing(root, of: .bert, rows: rows)
    }
    return try asClass(JSONFile(path: file), rows: rows)
  }

  /// Returns the contents for a vocab.json and a merges.txt; nil for those of GPT-2, which need no
  /// settings.
  func contents(of parts: TokenizerParts, rows: Int?) throws(TokenizerError) -> Contents? {
    let kind = try kind(reading: TokenizerFile.vocabularyName, by: [.gpt2, .qwen2])
    switch kind {
    case .qwen2:
      return try completing(try parts.qwenDocument(self), of: kind, rows: rows)
    case .gpt2:
      return try completing(parts.gpt2Document(self), of: kind, rows: rows)
    default:
      if let missing = parts.missingByte { throw .unstatedWords(path: parts.path, byte: missing) }
      return nil
    }
  }

  /// Returns the contents for a model of sentencepiece, in a file `name`.
  private func contents(
    of source: SentencePieceModel, _ name: String, _ rows: Int?
  ) throws(TokenizerError) -> Contents {
    let kind: TokenizerClass?
    if name == TokenizerFile.sentencePieceName {
      _ = try self.kind(reading: name, by: [.t5])
      kind = .t5
    } else {
      kind = try self.kind(reading: name, by: [.t5, .llama, .gemma], orNone: true)
    }
    switch kind {
    case let kind?:
      // No file of T5 states the number of its sentinels.
      let plain =
        kind == .t5
        ? try source.t5Document(sentinels: try count("extra_ids") ?? 100) : source.pairsDocument
      let root = plain.replacing(try parts(of: kind, plain))
      return try completing(root, of: kind, rows: rows)
    case nil:
      for token in addedTokens ?? [] {
        guard let id = token["id"]?.integer, source.pieces.indices.contains(id) else { continue }
        guard token["content"]?.string == source.pieces[id].text else {
          throw unsupported("another name of the piece \(id) in added_tokens_decoder:", token)
        }
      }
      let root = try source.document(isLegacy: try flag("legacy") ?? true)
      return try completing(root, of: nil, usual: source.specialPieces, rows: rows)
    }
  }

  /// Returns `document`, of files other than a tokenizer.json, with the special tokens of the settings
  /// and of the class `kind`.
  ///
  /// - Parameter usual: The special tokens by name where the settings name none; nil for those of `kind`.
  private func completing(
    _ document: JSONValue, of kind: TokenizerClass?, usual: [TokenizerClass.NamedToken]? = nil,
    rows: Int?
  ) throws(TokenizerError) -> Contents {
    let usual = usual ?? kind?.specialTokens ?? []
    let file = JSONFile(path: folder, root: document)
    let tokens = try AddedTokenList(
      self, of: kind, usual: usual, keepsOwn: true, in: file, rows: rows)
    var parts: [(key: String, value: JSONValue)] = []
    if tokens.isChanged { parts.append(("added_tokens", .array(tokens.entries))) }
    let (own, stated) = (try ends(of: kind, tokens), try statedEnds(tokens))
    if let ends = own ?? stated { parts.append(("post_processor", ends)) }
    return (parts.isEmpty ? document : document.replacing(parts), kind, usual)
  }

  /// Returns the post-processor for which `add_bos_token` and `add_eos_token` ask; nil without them.
  ///
  /// A token that has no name in the settings and the class is left out. Beside a tokenizer.json these
  /// settings have no effect in transformers.
  private func statedEnds(_ tokens: AddedTokenList) throws(TokenizerError) -> JSONValue? {
    let (begins, ends) = (try flag("add_bos_token"), try flag("add_eos_token"))
    guard begins == true || ends == true else { return nil }
    func added(_ isAdded: Bool?, _ name: String) throws(TokenizerError) -> [(String, Int)] {
      isAdded == true && tokens.names(name) ? [try tokens.named(name)] : []
    }
    return .template(
      before: try added(begins, "bos_token"), after: try added(ends, "eos_token"))
  }
}
