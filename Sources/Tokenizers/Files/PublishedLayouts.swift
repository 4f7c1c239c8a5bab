// Readers of folders without a tokenizer.json, in the layouts in which families were first
// published.

import Files

/// The settings in a tokenizer_config.json that decide how a tokenizer is read; `keys` lists them.
struct TokenizerConfiguration {
  /// The folder, with the files of the tokenizer and perhaps those of a model.
  let folder: String
  private let file: JSONFile?

  /// Reads the file in `folder`, if it exists.
  ///
  /// Without `added_tokens_decoder`, which newer versions write, the keys of a special_tokens_map.json
  /// replace those of the file, as in transformers.
  init(folder: String) throws(TokenizerError) {
    self.folder = folder
    func read(_ name: String) throws(TokenizerError) -> JSONFile? {
      let path = FileSystem.join(folder, name)
      return FileStatus.isPresent(path) ? try JSONFile(path: path) : nil
    }
    let own = try read(TokenizerFile.configurationName)
    let older = own?.root["added_tokens_decoder"] == nil ? try read(Self.specialTokensName) : nil
    guard let older else {
      file = own
      return
    }
    let members = older.root.members ?? []
    let kept = own?.root.members?.filter { member in !members.contains { $0.key == member.key } }
    file = JSONFile(path: own?.path ?? older.path, root: .object((kept ?? []) + members))
  }

  private static let specialTokensName = "special_tokens_map.json"

  /// The keys with their values; none without a file.
  var settings: [(key: String, value: JSONValue)] { file?.root.members ?? [] }

  /// Returns the error for the key `name`, whose value is not supported.
  func unsupported(_ name: String, _ value: JSONValue) -> TokenizerError {
    .unsupported(
      path: file?.path ?? folder,
      construct: "\(name) \(String(decoding: value.compact, as: UTF8.self))")
  }

  /// The tokenizer class of transformers for the folder, without the suffix `Fast`.
  var tokenizerClass: String? {
    file?.root["tokenizer_class"]?.string.map(TokenizerClass.withoutSuffix)
  }

  /// Returns the flag `name`; nil when it is absent or null.
  func flag(_ name: String) throws(TokenizerError) -> Bool? {
    try setting(name, "true or false") { $0.bool }
  }

  /// Returns the count `name`; nil when it is absent or null.
  func count(_ name: String) throws(TokenizerError) -> Int? {
    try setting(name, "an integer from 0 to 10000") { value in
      value.integer.flatMap { (0...10_000).contains($0) ? $0 : nil }
    }
  }

  /// Returns the text of the special token `name`, which is a string or an added token; nil when it
  /// is absent or null.
  func token(_ name: String) throws(TokenizerError) -> String? {
    try setting(name, "a string") { $0.string ?? $0["content"]?.string }
  }

  /// Returns what `read` returns for the member `name`; nil when it is absent or null.
  private func setting<Value>(
    _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
  ) throws(TokenizerError) -> Value? {
    guard let file, let value = file.root[name], !value.isNull else { return nil }
    guard let setting = read(value) else { throw file.invalid(name, expected) }
    return setting
  }

  /// The entries of `added_tokens_decoder`, which lists tokens by id; nil without that member.
  var addedTokens: [JSONValue]? {
    file?.root["added_tokens_decoder"]?.members?.map { id, value in
      .object([("id", Int(id).map { .integer($0) } ?? .null)] + (value.members ?? []))
    }
  }
}

extension TokenizerParts {
  /// Returns the tokenizer.json that transformers' class `GPT2Tokenizer` makes of a vocab.json that is
  /// not GPT-2's, and merges.txt, with the special tokens that the configuration lists: bytes without
  /// a token are dropped.
  func gpt2Document(_ configuration: TokenizerConfiguration) throws(TokenizerError) -> JSONValue {
    let prefixes = try configuration.flag("add_prefix_space") ?? false
    return .tokenizer(
      addedTokens: configuration.addedTokens ?? [],
      preTokenizer: .byteLevel(addPrefixSpace: prefixes), decoder: .byteLevel(addPrefixSpace: true),
      model: .bytePairs(vocabulary, merges: merges, affix: ""))
  }

  /// Returns the tokenizer.json of Qwen's vocab.json and merges.txt.
  ///
  /// These files hold no special tokens; the configuration lists them.
  func qwenDocument(_ configuration: TokenizerConfiguration) throws(TokenizerError) -> JSONValue {
    let byteLevel = JSONValue.byteLevel(
      addPrefixSpace: false, trimOffsets: false, useRegex: false)
    return .tokenizer(
      addedTokens: configuration.addedTokens ?? [],
      normalizer: ["type": "NFC"],
      preTokenizer: .qwen(addPrefixSpace: try configuration.flag("add_prefix_space") ?? false),
      postProcessor: byteLevel, decoder: byteLevel,
      model: .bytePairs(vocabulary, merges: merges, affix: ""))
  }
}

/// BERT's vocab.txt: one token per line, whose id is the line's number from 0.
enum VocabularyText {
  /// Returns the tokenizer.json of the vocab.txt at `path`.
  static func document(
    path: String, _ configuration: TokenizerConfiguration
  ) throws(TokenizerError) -> JSONValue {
    let bytes = try TokenizerFile.contents(of: path)
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    var tokens: [String] = []
    for (index, line) in lines.enumerated() {
      let line = line.last == 0x0D ? line.dropLast() : line
      guard let token = String(validating: line, as: UTF8.self) else {
        throw .malformedModel(path: path, reason: "line \(index + 1) is not valid UTF-8")
      }
      tokens.append(token)
    }
    var specials: [(token: String, id: Int)] = []
    for (name, usual) in [
      ("pad_token", "[PAD]"), ("unk_token", "[UNK]"), ("cls_token", "[CLS]"),
      ("sep_token", "[SEP]"), ("mask_token", "[MASK]"),
    ] {
      let token = try configuration.token(name) ?? usual
      guard let id = tokens.firstIndex(where: { $0.utf8.elementsEqual(token.utf8) }) else {
        throw .invalidVocabulary(.missingToken(token), path: path)
      }
      specials.append((token, id))
    }
    func flag(_ name: String, _ usual: JSONValue) throws(TokenizerError) -> JSONValue {
      try configuration.flag(name).map { .bool($0) } ?? usual
    }
    return .bert(
      vocabulary: tokens, specialTokens: specials,
      lowercases: try flag("do_lower_case", true),
      separatesChinese: try flag("tokenize_chinese_chars", true),
      stripsAccents: try flag("strip_accents", .null))
  }
}
