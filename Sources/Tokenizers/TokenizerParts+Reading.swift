// The two file layouts of a byte-level BPE, and what is refused in them.

extension TokenizerParts {
  /// Reads a tokenizer.json.
  init(tokenizerJSON path: String) throws(TokenizerError) {
    self.init(path: path)
    let document = try JSONFile(path: path)
    let root = document.root
    try document.refuse("truncation", in: root)
    try document.refuse("padding", in: root)
    try document.refuse("normalizer", in: root)
    try checkPreTokenizer(root["pre_tokenizer"] ?? .null, document)
    let decoder = root["decoder"] ?? .null
    guard decoder.isNull || decoder["type"]?.string == "ByteLevel" else {
      throw document.unsupported("decoder", decoder)
    }
    let postProcessor = root["post_processor"] ?? .null
    guard Self.addsNoTokens(postProcessor) else {
      throw document.unsupported("post_processor", postProcessor)
    }
    specialTokens = try Self.specialTokens(document)
    let model = try document.object("model", in: root)
    try checkModel(model, document)
    vocabulary = try Self.vocabulary(try document.field("model.vocab", model["vocab"]), document)
    merges = try Self.merges(document.field("model.merges", model["merges"]), document)
  }

  /// Reads GPT-2's vocab.json and merges.txt.
  init(vocabularyJSON path: String, mergesText: String) throws(TokenizerError) {
    self.init(path: path)
    let document = try JSONFile(path: path)
    vocabulary = try Self.vocabulary(document.root, document)
    let lines = try FileBytes.read(mergesText).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      var line = line
      if line.last == UInt8(ascii: "\r") { line.removeLast() }
      if line.isEmpty || line.starts(with: "#version".utf8) { continue }
      guard let text = String(validating: line, as: UTF8.self), let pair = Self.pair(text) else {
        throw .malformedMerge(path: mergesText, line: index + 1)
      }
      merges.append(pair)
    }
  }

  /// Whether a post-processor leaves ids alone: ByteLevel only trims offsets, and a template may
  /// hold nothing but the text (transformers writes such a one).
  private static func addsNoTokens(_ postProcessor: JSONElement) -> Bool {
    if postProcessor.isNull || postProcessor["type"]?.string == "ByteLevel" { return true }
    guard postProcessor["type"]?.string == "TemplateProcessing",
      let pieces = postProcessor["single"]?.array
    else { return false }
    return pieces.count == 1 && pieces[0]["Sequence"] != nil
  }

  private func checkPreTokenizer(
    _ value: JSONElement, _ document: JSONFile
  ) throws(TokenizerError) {
    guard value["type"]?.string == "ByteLevel" else {
      throw document.unsupported("pre_tokenizer", value)
    }
    if value["add_prefix_space"]?.bool != false {
      throw .unsupported(path: path, construct: "pre_tokenizer ByteLevel with add_prefix_space")
    }
    // Files from before the field existed always used the pattern.
    if let pattern = value["use_regex"], pattern.bool != true {
      throw .unsupported(path: path, construct: "pre_tokenizer ByteLevel without use_regex")
    }
  }

  private func checkModel(_ model: JSONElement, _ document: JSONFile) throws(TokenizerError) {
    // Old files leave the type out; then only BPE has merges.
    if let type = model["type"], type.string != "BPE" {
      throw document.unsupported("model", model)
    }
    // `unk_token` and `fuse_unk` have no effect: every byte is in the vocabulary.
    for name in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
      let value = model[name] ?? .null
      if value.isNull || value.string == "" { continue }
      throw .unsupported(path: path, construct: "model.\(name)")
    }
    for name in ["byte_fallback", "ignore_merges"] where model[name]?.bool == true {
      throw .unsupported(path: path, construct: "model.\(name)")
    }
  }

  private static func specialTokens(
    _ document: JSONFile
  ) throws(TokenizerError) -> [(content: String, id: Int)] {
    guard let values = try document.field("added_tokens", document.root["added_tokens"]).array
    else { throw document.invalid("added_tokens", "a list") }
    var tokens: [(content: String, id: Int)] = []
    for (index, value) in values.enumerated() {
      let field = "added_tokens[\(index)]"
      guard let content = value["content"]?.string, !content.isEmpty else {
        throw document.invalid(field + ".content", "a text that is not empty")
      }
      guard let id = value["id"]?.integer, id >= 0, id < Int(TokenID.max) else {
        throw document.invalid(field + ".id", "an id from 0")
      }
      guard value["special"]?.bool == true else {
        throw .unsupported(path: document.path, construct: "added token '\(content)', not special")
      }
      tokens.append((content, id))
    }
    return tokens
  }

  private static func vocabulary(
    _ value: JSONElement, _ document: JSONFile
  ) throws(TokenizerError) -> [(key: String, id: Int)] {
    guard let members = value.members else {
      throw document.invalid("vocab", "an object of tokens and ids")
    }
    var entries: [(key: String, id: Int)] = []
    entries.reserveCapacity(members.count)
    for (key, value) in members {
      guard let id = value.integer, id >= 0, id < Int(TokenID.max), !key.isEmpty else {
        throw document.invalid("vocab.\(key)", "an id from 0 for a token that is not empty")
      }
      entries.append((key, id))
    }
    return entries
  }

  /// Merges as pairs, or as text with one space in files from before tokenizers 0.20.
  private static func merges(
    _ value: JSONElement, _ document: JSONFile
  ) throws(TokenizerError) -> [Pair] {
    guard let values = value.array else { throw document.invalid("model.merges", "a list") }
    var merges: [Pair] = []
    merges.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      if let parts = value.array, parts.count == 2, let left = parts[0].string,
        let right = parts[1].string
      {
        merges.append((left, right))
      } else if let pair = value.string.flatMap(pair) {
        merges.append(pair)
      } else {
        throw document.invalid("model.merges[\(index)]", "a pair of tokens")
      }
    }
    return merges
  }

  private static func pair(_ text: String) -> Pair? {
    let parts = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
      let left = String(parts[0]), let right = String(parts[1])
    else { return nil }
    return (left, right)
  }
}

extension TokenizerFile {
  /// The eos_token of a tokenizer_config.json, as text or as an added token; nil when it has none.
  static func endOfTextToken(
    inConfiguration path: String
  ) throws(TokenizerError) -> String? {
    let document = try JSONFile(path: path)
    let value = document.root["eos_token"] ?? .null
    if value.isNull { return nil }
    guard let token = value.string ?? value["content"]?.string else {
      throw document.invalid("eos_token", "a text")
    }
    return token
  }
}
