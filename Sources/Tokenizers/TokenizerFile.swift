/// Tokenizers on disk, in Hugging Face's format.
///
/// Written:
///
///     tokenizer.json          vocabulary, merges, special tokens; byte for byte what Hugging Face
///                             tokenizers (0.23) writes for the same tokenizer
///     tokenizer_config.json   what transformers.AutoTokenizer needs beside it, and the chat template
///
/// Read: a folder with these files, a single tokenizer.json, or a folder in GPT-2's published
/// layout, vocab.json with merges.txt. What Apus would encode otherwise than Hugging Face is
/// refused by name.
public enum TokenizerFile {
  static let tokenizerName = "tokenizer.json"
  static let configurationName = "tokenizer_config.json"
  static let vocabularyName = "vocab.json"
  static let mergesName = "merges.txt"
  static let templateName = "chat_template.jinja"

  /// The tokenizer in the folder or tokenizer.json file at `path`.
  public static func load(from path: String) throws(TokenizerError) -> any Tokenizer {
    let isFolder = try FileBytes.isFolder(path)
    let folder = isFolder ? path : FileBytes.parent(of: path)
    let file = isFolder ? FileBytes.join(path, tokenizerName) : path
    let configuration = FileBytes.join(folder, configurationName)
    let endOfText =
      FileBytes.exists(configuration)
      ? try endOfTextToken(inConfiguration: configuration) : nil
    let parts: TokenizerParts
    if !isFolder || FileBytes.exists(file) {
      parts = try TokenizerParts(tokenizerJSON: file)
    } else {
      let vocabulary = FileBytes.join(path, vocabularyName)
      let merges = FileBytes.join(path, mergesName)
      guard FileBytes.exists(vocabulary), FileBytes.exists(merges) else {
        throw .noTokenizer(folder: path)
      }
      parts = try TokenizerParts(vocabularyJSON: vocabulary, mergesText: merges)
    }
    let tokenizer = try parts.tokenizer(endOfText: endOfText ?? ByteTokenizer.endOfTextToken)
    return isByteTokenizer(tokenizer) ? ByteTokenizer() : tokenizer
  }

  /// Writes the files of `tokenizer`, and `template` with them, into `folder`, which is created if it
  /// is not there.
  ///
  /// Each file appears whole or not at all: it is written beside its place, synced and renamed.
  /// `tokenizer` must be a `ByteTokenizer` or a `BytePairTokenizer`.
  public static func save(
    _ tokenizer: any Tokenizer, toFolder folder: String, template: ChatTemplate? = nil
  ) throws(TokenizerError) {
    try FileBytes.createFolder(folder)
    for file in files(of: tokenizer, template: template) {
      try FileBytes.write(file.contents, to: FileBytes.join(folder, file.name))
    }
  }

  /// The files of `tokenizer`, and `template` in them, by name, for those who write them themselves.
  ///
  /// `tokenizer` must be a `ByteTokenizer` or a `BytePairTokenizer`.
  public static func files(
    of tokenizer: any Tokenizer, template: ChatTemplate? = nil
  ) -> [(name: String, contents: [UInt8])] {
    let document = TokenizerDocument(tokenizer, template: template)
    return [
      (tokenizerName, document.tokenizerJSON.serialized()),
      (configurationName, document.configurationJSON.serialized()),
    ]
  }

  /// Bytes that are equal for two tokenizers exactly when all their ids are: those of
  /// tokenizer.json, followed by the id that ends a document.
  ///
  /// `tokenizer` must be a `ByteTokenizer` or a `BytePairTokenizer`.
  public static func fingerprint(of tokenizer: any Tokenizer) -> [UInt8] {
    TokenizerDocument(tokenizer).tokenizerJSON.serialized()
      + Array("\nend of text: \(tokenizer.endOfText)\n".utf8)
  }

  private static func isByteTokenizer(_ tokenizer: BytePairTokenizer) -> Bool {
    tokenizer.vocabularySize == 257
      && fingerprint(of: tokenizer) == fingerprint(of: ByteTokenizer())
  }
}
