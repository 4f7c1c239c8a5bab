import Files

extension TokenizationPipeline {
  /// Returns the tokens into which the model splits a word.
  func modelTokens(of word: [UInt8]) -> [TokenID] {
    var tokens = TokenBuffer(keepsRanges: false, capacity: 16)
    word.withUnsafeBufferPointer { model.tokenize($0, into: &tokens) }
    return tokens.ids
  }

  /// Returns this tokenizer extended by new tokens of the model, with ids from `vocabularySize` on,
  /// and by `merges` after the old ones.
  ///
  /// An added token outside the model's vocabulary is put into it: otherwise Hugging Face
  /// tokenizers would give it the id after the model's last token, whatever the file states.
  func extended(
    by spellings: [String], merges: [(left: String, right: String)]
  ) throws(TokenizerError) -> TokenizationPipeline {
    var entries = document["model"]?["vocab"]?.members ?? []
    var known = ByteStringTable(capacity: entries.count)
    for entry in entries { _ = known.insert(Array(entry.key.utf8)) }
    for token in added.tokens where known.find(Array(token.content.utf8)) == nil {
      entries.append((token.content, .integer(Int(token.id))))
    }
    for (index, spelling) in spellings.enumerated() {
      entries.append((spelling, .integer(vocabularySize + index)))
    }
    // Files older than tokenizers 0.20 spell a merge as one string; a file must not mix both forms.
    let old = document["model"]?["merges"]?.array ?? []
    let areTexts = old.first?.string != nil
    let new = merges.map { pair in
      areTexts
        ? JSONValue.string("\(pair.left) \(pair.right)")
        : .array([.string(pair.left), .string(pair.right)])
    }
    let model = (document["model"]?.members ?? []).map {
      member -> (key: String, value: JSONValue) in
      switch member.key {
      case "vocab": ("vocab", .object(entries))
      case "merges": ("merges", .array(old + new))
      default: member
      }
    }
    let root = JSONValue.object(
      (document.members ?? []).map { $0.key == "model" ? ("model", .object(model)) : $0 })
    var extended = try TokenizationPipeline(
      JSONFile(path: "the extended tokenizer", root: root),
      endOfText: String(decoding: try bytes(of: endOfText), as: UTF8.self))
    extended.settings = settings
    return extended
  }
}
