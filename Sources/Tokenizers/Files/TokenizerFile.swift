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
    let named = try configuration.token("eos_token")
    let file = isFolder ? try self.file(in: path) : path
    let contents: TokenizerConfiguration.Contents
    // Byte-level BPE has a token for every byte.
    var hasBytes = true
    if isFolder, file.hasSuffix("/" + vocabularyName) {
      let parts = try TokenizerParts(
        vocabularyJSON: file, mergesText: FileSystem.join(path, mergesName))
      guard let read = try configuration.contents(of: parts, rows: rows) else {
        return try tokenizer(parts, named, configuration.kept(by: nil, []))
      }
      (contents, hasBytes) = (read, parts.missingByte == nil)
    } else {
      try refuseForeignFormat(of: file)
      contents = try configuration.contents(of: file, rows: rows)
    }
    let document = JSONFile(path: file, root: contents.root)
    let settings = configuration.kept(by: contents.kind, contents.usual)
    // The class names one where the settings are silent; a model may have no embedding for it.
    let usual = settings.members.first { $0.key == "eos_token" }?.value.string
    let isPresent = try document.addedTokens().contains { $0.content == usual }
    let endOfText = named ?? (isPresent ? usual : nil)
    if hasBytes, TokenizerParts.isByteLevel(document.root) {
      do {
        return try tokenizer(TokenizerParts(document), endOfText, settings)
      } catch .invalidVocabulary(.reachableSpecial, _) {
        // A special token that is also a word of the vocabulary needs the general pipeline.
      }
    }
    var tokenizer = try TokenizationPipeline(document, endOfText: endOfText)
    tokenizer.settings = settings
    return tokenizer
  }

  /// Returns the path of the file in `folder` that decides the ids.
  private static func file(in folder: String) throws(TokenizerError) -> String {
    func path(_ name: String) -> String { FileSystem.join(folder, name) }
    func isPresent(_ name: String) -> Bool { FileStatus.isPresent(path(name)) }
    let names = [tokenizerName, sentencePieceName, modelName]
    if let name = names.first(where: isPresent) { return path(name) }
    if isPresent(vocabularyName), isPresent(mergesName) { return path(vocabularyName) }
    guard isPresent(vocabularyTextName) else {
      try refuseForeignFormats(in: folder)
      throw .noTokenizer(folder: folder)
    }
    return path(vocabularyTextName)
  }

  private static func tokenizer(
    _ parts: TokenizerParts, _ endOfText: String?, _ settings: TokenizerSettings
  ) throws(TokenizerError) -> any Tokenizer {
    var tokenizer = try parts.tokenizer(endOfText: endOfText ?? ByteTokenizer.endOfTextToken)
    tokenizer.settings = settings
    return isByteTokenizer(tokenizer) ? ByteTokenizer(settings: settings) : tokenizer
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
