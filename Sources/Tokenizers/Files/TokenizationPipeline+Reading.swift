extension TokenizationPipeline {
  /// The end-of-text tokens to try, in this order, when the configuration names none.
  private static let endOfTextCandidates = [
    ByteTokenizer.endOfTextToken, "</s>", "<|end_of_text|>", "<|im_end|>", "[SEP]", "<eos>",
  ]

  /// Reads the tokenizer in `document`, which ends documents with the special token `endOfText`, or
  /// with the first of the usual ones that it has.
  ///
  /// Truncation and padding are not the tokenizer's task: those members of the file are ignored.
  init(_ document: JSONFile, endOfText: String?) throws(TokenizerError) {
    let reader = ComponentReader(document: document)
    let root = document.root
    let tokens = try reader.addedTokens()
    let normalizer = try reader.normalizer(root["normalizer"] ?? .null)
    try reader.refuse(growth: normalizer?.growth, of: "normalizer")
    let preTokenizer = try reader.preTokenizer(root["pre_tokenizer"] ?? .null)
    let usesBytes = preTokenizer.map(Self.endsInBytes) ?? false
    let result = try ModelReader(reader, added: tokens).read(usesBytes: usesBytes)
    let spellings = try TokenizerParts.spellings(
      result.entries, tokens.map { ($0.content, Int($0.id)) }, document.path)
    guard
      let end = (endOfText.map { [$0] } ?? Self.endOfTextCandidates).lazy.compactMap({ text in
        tokens.first { $0.isSpecial && $0.content.utf8.elementsEqual(text.utf8) }
      }).first
    else {
      throw .invalidVocabulary(
        .missingEndOfText(endOfText ?? Self.endOfTextCandidates.joined(separator: "', '")),
        path: document.path)
    }
    self.normalizer = normalizer
    self.preTokenizer = preTokenizer
    self.usesBytes = usesBytes
    model = result.model
    added = AddedVocabulary(tokens, normalizer: normalizer)
    postProcessor = try reader.postProcessor(root["post_processor"] ?? .null)
    decoder = try reader.decoder(root["decoder"] ?? .null)
    try reader.refuse(growth: decoder?.growth, of: "decoder")
    vocabulary = PipelineVocabulary(spellings, style: result.style)
    self.endOfText = end.id
    let count = spellings.count
    let others = ["truncation", "padding"]
    self.document = .object(
      (root.members ?? []).map { others.contains($0.key) ? ($0.key, .null) : $0 })
    for id in Self.templateIDs(postProcessor) where Int(id) >= count {
      throw .unknownID(id: id, vocabularySize: count)
    }
  }

  private static func endsInBytes(_ preTokenizer: any PreTokenizer) -> Bool {
    if let sequence = preTokenizer as? PreTokenizerSequence {
      return sequence.preTokenizers.last.map(endsInBytes) ?? false
    }
    return preTokenizer is ByteLevelPreTokenizer
  }

  /// Returns the ids that a post-processor adds.
  private static func templateIDs(_ postProcessor: (any PostProcessor)?) -> [TokenID] {
    guard let postProcessor else { return [] }
    let empty = TokenEncoding(ids: [], offsets: [])
    return [[empty], [empty, empty]].flatMap { encodings in
      postProcessor.addTokens(to: encodings).flatMap(\.ids)
    }
  }
}
