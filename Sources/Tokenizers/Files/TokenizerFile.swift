import Files
import Glibc

/// Reads and writes tokenizers in Hugging Face's file formats.
///
/// Files written:
///
///     tokenizer.json          vocabulary, merges, special tokens; byte for byte what Hugging Face
///                             tokenizers (0.23) writes for the same tokenizer
///     tokenizer_config.json   settings for transformers.AutoTokenizer, and the chat template
///
/// Inputs accepted: a folder with these files, a single tokenizer.json, or one of the original
/// layouts of the families: vocab.json with merges.txt (GPT-2, Qwen), vocab.txt (BERT),
/// spiece.model (T5) and tokenizer.model (Llama 2). A construct that Apus would encode differently
/// from Hugging Face is refused, and the error names it.
package enum TokenizerFile {
  static let tokenizerName = "tokenizer.json"
  static let configurationName = "tokenizer_config.json"
  static let vocabularyName = "vocab.json"
  static let mergesName = "merges.txt"
  static let vocabularyTextName = "vocab.txt"
  static let sentencePieceName = "spiece.model"
  static let modelName = "tokenizer.model"
  static let templateName = "chat_template.jinja"

  /// Loads the tokenizer in the folder or file at `path`.
  ///
  /// - Parameter rows: The number of ids of the model beside, which has no embedding for more special
  ///   tokens; nil without a model.
  package static func load(
    from path: String, rows: Int? = nil
  ) throws(TokenizerError) -> any Tokenizer {
    let isFolder = try isFolder(path)
    let folder = isFolder ? path : FileSystem.parent(of: path)
    let configuration = try TokenizerConfiguration(folder: folder)
    try configuration.refuseUnsupported()
    let endOfText = try configuration.token("eos_token")
    if !isFolder {
      return try load(file: path, configuration, endOfText, rows)
    }
    for name in [tokenizerName, sentencePieceName, modelName] {
      let file = FileSystem.join(path, name)
      if FileStatus.isPresent(file) { return try load(file: file, configuration, endOfText, rows) }
    }
    let vocabulary = FileSystem.join(path, vocabularyName)
    let merges = FileSystem.join(path, mergesName)
    if FileStatus.isPresent(vocabulary), FileStatus.isPresent(merges) {
      let parts = try TokenizerParts(vocabularyJSON: vocabulary, mergesText: merges)
      if configuration.tokenizerClass == "Qwen2Tokenizer" {
        let root = try configuration.addingTokens(to: parts.qwenDocument(configuration), rows: rows)
        return try TokenizationPipeline(
          JSONFile(path: vocabulary, root: root), endOfText: endOfText)
      }
      guard let missing = parts.missingByte else { return try tokenizer(parts, endOfText) }
      guard configuration.tokenizerClass == "GPT2Tokenizer" else {
        throw .unstatedWords(path: vocabulary, byte: missing)
      }
      let root = try configuration.addingTokens(to: parts.gpt2Document(configuration), rows: rows)
      return try TokenizationPipeline(JSONFile(path: vocabulary, root: root), endOfText: endOfText)
    }
    let text = FileSystem.join(path, vocabularyTextName)
    guard FileStatus.isPresent(text) else {
      try refuseForeignFormats(in: path)
      throw .noTokenizer(folder: path)
    }
    return try load(file: text, configuration, endOfText, rows)
  }

  private static func load(
    file: String, _ configuration: TokenizerConfiguration, _ endOfText: String?, _ rows: Int?
  ) throws(TokenizerError) -> any Tokenizer {
    let root: JSONValue
    try refuseForeignFormat(of: file)
    if file.hasSuffix(".model") {
      // No file of T5 states the number of its sentinels.
      let isT5 = file.hasSuffix("/" + sentencePieceName)
      let sentinels = try configuration.count("extra_ids") ?? (isT5 ? 100 : 0)
      let source = try SentencePieceModel(path: file)
      var model = try source.document(asT5: isT5, sentinels: sentinels)
      if !isT5 {
        model = try configuration.asLlama(
          model: configuration.settingEnds(of: model), userDefined: source.userDefinedTokens)
      }
      root = try configuration.addingTokens(to: model, rows: rows)
    } else if file.hasSuffix(".txt") {
      root = try configuration.addingTokens(
        to: VocabularyText.document(path: file, configuration), rows: rows)
    } else {
      root = try configuration.asClass(JSONFile(path: file), rows: rows)
      if TokenizerParts.isByteLevel(root) {
        do {
          return try tokenizer(TokenizerParts(JSONFile(path: file, root: root)), endOfText)
        } catch .invalidVocabulary(.reachableSpecial, _) {
          // A special token that is also a word of the vocabulary needs the general pipeline.
        }
      }
    }
    return try TokenizationPipeline(JSONFile(path: file, root: root), endOfText: endOfText)
  }

  private static func tokenizer(
    _ parts: TokenizerParts, _ endOfText: String?
  ) throws(TokenizerError) -> any Tokenizer {
    let tokenizer = try parts.tokenizer(endOfText: endOfText ?? ByteTokenizer.endOfTextToken)
    return isByteTokenizer(tokenizer) ? ByteTokenizer() : tokenizer
  }

  /// Writes the files of `tokenizer`, including `template`, into `folder`, which is created if
  /// absent.
  ///
  /// Each write is atomic: the file is written under a temporary name, synced and renamed.
  package static func save(
    _ tokenizer: any Tokenizer, toFolder folder: String, template: ChatTemplate? = nil
  ) throws(TokenizerError) {
    var path = folder
    do throws(StorageError) {
      try FileSystem.makeFolder(folder)
      for file in files(of: tokenizer, template: template) {
        path = FileSystem.join(folder, file.name)
        try PendingFile.write(file.contents, to: path)
      }
    } catch {
      throw .unwritable(path: path, cause: error)
    }
  }

  /// Returns true when a folder is at `path`, and false when something else is.
  static func isFolder(_ path: String) throws(TokenizerError) -> Bool {
    guard let status = FileStatus(path) else {
      throw .unreadable(path: path, reason: StorageError.reason(errno).lowercased())
    }
    return status.kind == .folder
  }

  /// Returns the contents of the regular file at `path`.
  static func contents(of path: String) throws(TokenizerError) -> [UInt8] {
    do throws(StorageError) {
      return try InputFile.contents(of: path)
    } catch {
      throw .unreadable(path: path, reason: error.reason.lowercased())
    }
  }

  /// Returns the names and contents of the files of `tokenizer`, including `template`, for callers
  /// that write files themselves.
  ///
  /// - Parameters:
  ///   - padding: The id that pads texts of the model beside; nil for that of the tokenizer.
  ///   - context: The number of tokens that the model takes, to which transformers truncates; nil
  ///     without a limit.
  package static func files(
    of tokenizer: any Tokenizer, template: ChatTemplate? = nil, padding: TokenID? = nil,
    context: Int? = nil
  ) -> [(name: String, contents: [UInt8])] {
    let document = TokenizerDocument(
      tokenizer, template: template, padding: padding, context: context)
    return [
      (tokenizerName, document.tokenizerJSON.indented),
      (configurationName, document.configurationJSON.indented),
    ]
  }

  /// Returns bytes that are equal for two tokenizers exactly when all their ids are: the contents
  /// of tokenizer.json, followed by the id that ends a document.
  package static func fingerprint(of tokenizer: any Tokenizer) -> [UInt8] {
    TokenizerDocument(tokenizer).tokenizerJSON.indented
      + Array("\nend of text: \(tokenizer.endOfText)\n".utf8)
  }

  private static func isByteTokenizer(_ tokenizer: BytePairTokenizer) -> Bool {
    tokenizer.vocabularySize == 257
      && fingerprint(of: tokenizer) == fingerprint(of: ByteTokenizer())
  }
}
