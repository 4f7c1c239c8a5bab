extension TokenizationPipeline {
  /// The tokens that the model makes of a word.
  func modelTokens(of word: [UInt8]) -> [TokenID] {
    var tokens = TokenBuffer(keepsRanges: false, capacity: 16)
    word.withUnsafeBufferPointer { model.tokenize($0, into: &tokens) }
    return tokens.ids
  }

  /// The same tokenizer with new tokens of the model, ids from the number of the old ones on, and
  /// `merges` behind the old ones.
  ///
  /// An added token that is none of the model's becomes one as well: Hugging Face tokenizers gives it
  /// the id behind the model's last token otherwise, whatever the file says.
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
    // Files from before tokenizers 0.20 spell a merge as one text, and a file has one kind alone.
    let old = document["model"]?["merges"]?.array ?? []
    let areTexts = old.first?.string != nil
    let new = merges.map { pair in
      areTexts
        ? JSONElement.string("\(pair.left) \(pair.right)")
        : .array([.string(pair.left), .string(pair.right)])
    }
    let model = (document["model"]?.members ?? []).map {
      member -> (key: String, value: JSONElement) in
      switch member.key {
      case "vocab": ("vocab", .object(entries))
      case "merges": ("merges", .array(old + new))
      default: member
      }
    }
    let root = JSONElement.object(
      (document.members ?? []).map { $0.key == "model" ? ("model", .object(model)) : $0 })
    return try TokenizationPipeline(
      JSONFile(path: "the tokenizer that was extended", root: root),
      endOfText: String(decoding: try bytes(of: endOfText), as: UTF8.self))
  }
}
