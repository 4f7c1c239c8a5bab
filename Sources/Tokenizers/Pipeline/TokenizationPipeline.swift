/// A tokenizer put together from parts, as tokenizer.json states them: added tokens are found first,
/// the text between them is normalized, cut into words, and each word into tokens by the model;
/// a post-processor adds what stands around texts, and a decoder turns tokens back into text.
///
/// Ids, offsets and decoded texts are those of Hugging Face tokenizers (0.23). A value is immutable
/// and may encode in any number of threads at once.
public struct TokenizationPipeline: Tokenizer {
  let added: AddedVocabulary
  let normalizer: (any Normalizer)?
  let preTokenizer: (any PreTokenizer)?
  let model: any TokenizerModel
  let postProcessor: (any PostProcessor)?
  let decoder: (any TokenDecoder)?
  /// What tokens are, by id: those of the model and added ones.
  let vocabulary: PipelineVocabulary
  /// Whether the symbols of the model are bytes: then any bytes can be encoded and come back.
  let usesBytes: Bool
  /// tokenizer.json, as it is written.
  let document: JSONElement

  /// The special token that ends a document.
  public let endOfText: TokenID

  /// How many ids there are.
  public var vocabularySize: Int { vocabulary.count }

  /// Whether `id` is a special token.
  public func isSpecial(_ id: TokenID) -> Bool { added.token(id)?.isSpecial ?? false }

  /// The id of the special token written as `text`; nil when there is none.
  public func specialToken(_ text: String) -> TokenID? {
    added.tokens.first { $0.isSpecial && $0.content.utf8.elementsEqual(text.utf8) }?.id
  }

  /// The ids of `bytes`, without what a post-processor adds; special tokens are never found in them.
  ///
  /// Bytes that are not valid UTF-8 are encoded as U+FFFD, unless the model works on bytes.
  public func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenID] {
    tokens(of: Array(bytes), findsSpecial: false, tracked: false).ids
  }

  /// The ids of `text` with what the post-processor adds; special tokens are never found in it.
  public func encodeWhole(_ text: String) -> [TokenID] {
    encoding(of: text, findsSpecial: false).ids
  }

  /// The bytes that `id` stands for inside a text: a special token's are its written form, a
  /// continuation's have no prefix, and `▁` is a space.
  public func bytes(of id: TokenID) throws(TokenizerError) -> [UInt8] {
    try vocabulary.check(id)
    if let token = added.token(id) { return Array(token.content.utf8) }
    return vocabulary.innerText(of: id)
  }

  /// The text that `ids` stand for, special tokens in their written form.
  ///
  /// Throws `TokenizerError.unknownID` at the first id outside the vocabulary.
  public func bytes(of ids: [TokenID]) throws(TokenizerError) -> [UInt8] {
    try text(of: ids, skipsSpecial: false)
  }

  /// The text that `ids` stand for, with or without special tokens.
  ///
  /// Throws `TokenizerError.unknownID` at the first id outside the vocabulary.
  public func text(of ids: [TokenID], skipsSpecial: Bool) throws(TokenizerError) -> [UInt8] {
    var pieces: [[UInt8]] = []
    pieces.reserveCapacity(ids.count)
    for id in ids {
      try vocabulary.check(id)
      if skipsSpecial, isSpecial(id) { continue }
      pieces.append(added.token(id).map { Array($0.content.utf8) } ?? vocabulary.spelling(of: id))
    }
    guard let decoder else { return Array(pieces.joined(separator: [0x20])) }
    decoder.decode(&pieces)
    return Array(pieces.joined())
  }
}
