import Files

/// Reads the model of a tokenizer.json.
struct ModelReader {
  /// A model, the spellings of its tokens, and their style.
  struct Result {
    let model: any TokenizerModel
    let entries: [(key: String, id: Int)]
    let style: PipelineVocabulary.Style
  }

  private let components: ComponentReader
  private let document: JSONFile
  private let model: JSONValue
  /// The added tokens, whose ids may be outside the model's vocabulary.
  private let added: [AddedToken]

  init(_ components: ComponentReader, added: [AddedToken]) throws(TokenizerError) {
    self.components = components
    self.added = added
    document = components.document
    model = try document.object("model", in: document.root)
  }

  /// Reads the model; its symbols are bytes if `usesBytes`.
  func read(usesBytes: Bool) throws(TokenizerError) -> Result {
    // Old files omit the type; among them only BPE models have merges.
    let type = model["type"]?.string ?? (model["merges"] == nil ? "" : "BPE")
    if usesBytes, ["WordPiece", "Unigram", "WordLevel"].contains(type) {
      throw .unsupported(path: document.path, construct: "model \(type) after ByteLevel")
    }
    switch type {
    case "BPE": return try bytePairs(usesBytes)
    case "WordPiece": return try wordPiece()
    case "WordLevel": return try wordLevel()
    case "Unigram": return try unigram()
    default: throw document.unsupported("model", model)
    }
  }

  private func entries() throws(TokenizerError) -> [(key: String, id: Int)] {
    try TokenizerParts.vocabulary(try document.field("model.vocab", model["vocab"]), document)
  }

  /// Returns an upper bound of the ids of `entries` and added tokens; throws when ids repeat or
  /// reach it.
  ///
  /// A gap that no added token fills is refused later.
  private func size(_ entries: [(key: String, id: Int)]) throws(TokenizerError) -> Int {
    let limit = entries.count + added.count
    var seen = [Bool](repeating: false, count: limit)
    for (_, id) in entries {
      guard id < limit else { throw defect(.missingID(seen.firstIndex(of: false) ?? limit)) }
      if seen[id] { throw defect(.duplicateID(id)) }
      seen[id] = true
    }
    return limit
  }

  private func defect(_ defect: VocabularyDefect) -> TokenizerError {
    .invalidVocabulary(defect, path: document.path)
  }

  /// Returns the id of the token in the member `name`.
  private func tokenID(
    _ name: String, _ entries: [(key: String, id: Int)]
  ) throws(TokenizerError) -> TokenID {
    let text = try components.text(model, name, "model")
    guard let entry = entries.first(where: { $0.key.utf8.elementsEqual(text.utf8) }) else {
      throw document.invalid("model.\(name)", "a token of the vocabulary")
    }
    return TokenID(entry.id)
  }

  private func bytePairs(_ usesBytes: Bool) throws(TokenizerError) -> Result {
    for name in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
      let value = model[name] ?? .null
      if value.isNull || value.string == "" { continue }
      throw .unsupported(path: document.path, construct: "model.\(name)")
    }
    let entries = try entries()
    let size = try size(entries)
    var tokens: [(token: [UInt8], id: TokenID)] = []
    tokens.reserveCapacity(entries.count)
    for (key, id) in entries {
      // After ByteLevel, only tokens in the byte alphabet can be looked up.
      let bytes = usesBytes ? ByteAlphabet.bytes(spelled: key) : Array(key.utf8)
      if let bytes { tokens.append((bytes, TokenID(id))) }
    }
    let vocabulary = Vocabulary(tokens, size: size)
    var options = BytePairModel.Options()
    options.usesBytes = usesBytes
    if let unknown = model["unk_token"], !unknown.isNull {
      options.unknown = try tokenID("unk_token", entries)
    }
    options.fusesUnknown = try components.bool(model, "fuse_unk", "model", default: false)
    options.fallsBackToBytes = try components.bool(model, "byte_fallback", "model", default: false)
    options.ignoresMerges = try components.bool(model, "ignore_merges", "model", default: false)
    let rules = try rules(vocabulary, usesBytes)
    return Result(
      model: BytePairModel(vocabulary: vocabulary, size: size, rules: rules, options: options),
      entries: entries, style: usesBytes ? .bytes : .metaspace)
  }

  private func rules(
    _ vocabulary: Vocabulary, _ usesBytes: Bool
  ) throws(TokenizerError) -> MergeRules {
    let merges = try TokenizerParts.merges(
      document.field("model.merges", model["merges"]), document)
    var ranks = PairTable(capacity: merges.count)
    var results: [UInt32] = []
    func bytes(_ text: String) -> [UInt8] {
      usesBytes ? ByteAlphabet.bytes(spelled: text) ?? [] : Array(text.utf8)
    }
    for (rank, merge) in merges.enumerated() {
      // No text has symbols outside of the byte alphabet.
      if usesBytes, [merge.left, merge.right].contains(where: { bytes($0).isEmpty }) { continue }
      var ids: [UInt32] = []
      for text in [merge.left, merge.right, merge.left + merge.right] {
        guard let id = vocabulary.id(of: bytes(text)) else {
          throw defect(.unknownMergeToken(index: rank, token: text))
        }
        ids.append(UInt32(id))
      }
      let number = UInt32(results.count)
      guard ranks.insert(TokenPair(ids[0], ids[1]), number: number) == number else {
        throw defect(.repeatedMerge(index: rank))
      }
      results.append(ids[2])
    }
    return MergeRules(byteIDs: [], ranks: ranks, results: results)
  }

  private func wordPiece() throws(TokenizerError) -> Result {
    let entries = try entries()
    _ = try size(entries)
    let prefix = Array(
      try components.text(model, "continuing_subword_prefix", "model", default: "##").utf8)
    let length =
      model["max_input_chars_per_word"] == nil
      ? 100 : try components.integer(model, "max_input_chars_per_word", "model")
    return Result(
      model: WordPieceModel(
        entries.map { (token: Array($0.key.utf8), id: TokenID($0.id)) }, prefix: prefix,
        unknown: try tokenID("unk_token", entries), maximumLength: length),
      entries: entries, style: .prefix(prefix))
  }

  private func wordLevel() throws(TokenizerError) -> Result {
    let entries = try entries()
    let size = try size(entries)
    let tokens = entries.map { (token: Array($0.key.utf8), id: TokenID($0.id)) }
    return Result(
      model: WordLevelModel(
        vocabulary: Vocabulary(tokens, size: size), unknown: try tokenID("unk_token", entries)),
      entries: entries, style: .prefix([]))
  }

  private func unigram() throws(TokenizerError) -> Result {
    guard let values = try document.field("model.vocab", model["vocab"]).array else {
      throw document.invalid("model.vocab", "a list of pieces and scores")
    }
    var pieces: [(token: [UInt8], score: Double)] = []
    var entries: [(key: String, id: Int)] = []
    for (index, value) in values.enumerated() {
      guard let pair = value.array, pair.count == 2, let text = pair[0].string,
        let score = pair[1].number
      else { throw document.invalid("model.vocab[\(index)]", "a piece with its score") }
      pieces.append((Array(text.utf8), Self.asSerdeReads(score)))
      entries.append((text, index))
    }
    let unknown = try components.integer(model, "unk_id", "model")
    guard unknown < pieces.count else {
      throw document.invalid("model.unk_id", "the number of a piece")
    }
    var byteTokens: [TokenID]?
    if try components.bool(model, "byte_fallback", "model", default: false) {
      let tokens = pieces.enumerated().map { (token: $1.token, id: TokenID($0)) }
      byteTokens = Vocabulary(tokens, size: pieces.count).byteTokens
      if let missing = byteTokens?.firstIndex(where: { $0 < 0 }) {
        throw defect(.missingByte(UInt8(missing)))
      }
    }
    return Result(
      model: UnigramModel(pieces, unknown: TokenID(unknown), byteTokens: byteTokens),
      entries: entries, style: .metaspace)
  }

  /// Returns `score` as Hugging Face tokenizers reads its shortest decimal form.
  ///
  /// Its JSON reader (serde_json) reads the digits as one integer and divides by a power of ten.
  /// Two roundings instead of one change the last bit of a quarter of T5's scores, which breaks
  /// ties between segmentations of equal score.
  static func asSerdeReads(_ score: Double) -> Double {
    let text = "\(score.magnitude)"
    let parts = text.split(separator: "e")
    let digits = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let fraction = digits.count > 1 ? String(digits[1]) : ""
    guard let significand = UInt64(digits[0] + fraction),
      let exponent = parts.count > 1 ? Int(parts[1]) : 0
    else { return score }
    let shift = exponent - fraction.count
    guard shift > -300, shift < 300, let power = Double("1e\(abs(shift))") else { return score }
    let value = shift < 0 ? Double(significand) / power : Double(significand) * power
    return score < 0 ? -value : value
  }
}
