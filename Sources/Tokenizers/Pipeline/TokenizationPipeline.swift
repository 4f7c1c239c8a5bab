import Files

/// A tokenizer composed of the parts that tokenizer.json describes.
///
/// Added tokens are matched first; the text between them is normalized and split into words; the
/// model splits each word into tokens; a post-processor adds special tokens around texts; a decoder
/// turns tokens back into text.
///
/// Ids, offsets and decoded texts equal those of Hugging Face tokenizers (0.23). A value is
/// immutable and may encode in any number of threads at once.
package struct TokenizationPipeline: Tokenizer {
  let added: AddedVocabulary
  let normalizer: (any Normalizer)?
  let preTokenizer: (any PreTokenizer)?
  let model: any TokenizerModel
  let postProcessor: (any PostProcessor)?
  let decoder: (any TokenDecoder)?
  /// The tokens of the model and the added ones, by id.
  let vocabulary: PipelineVocabulary
  /// True when the symbols of the model are bytes, so that every byte sequence round-trips.
  let usesBytes: Bool
  /// The contents of tokenizer.json.
  let document: JSONValue

  package let endOfText: TokenID
  package internal(set) var settings = TokenizerSettings()

  package var unknown: TokenID? { model.unknown }

  package var vocabularySize: Int { vocabulary.count }

  package func isSpecial(_ id: TokenID) -> Bool { added.token(id)?.isSpecial ?? false }

  package func specialToken(_ text: String) -> TokenID? {
    added.tokens.first { $0.isSpecial && $0.content.utf8.elementsEqual(text.utf8) }?.id
  }

  /// Returns the ids of `bytes`, without those that a post-processor adds; special tokens written
  /// in `bytes` are encoded as plain text.
  ///
  /// Bytes that are not valid UTF-8 are encoded as U+FFFD, unless the model works on bytes.
  package func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenID] {
    tokens(of: Array(bytes), specialTokensIn: RangeSet(), tracked: false).ids
  }

  /// Returns the ids of `text` with those that the post-processor adds; special tokens written in
  /// `text` are encoded as plain text.
  package func encodeWithSpecialTokens(_ text: String) -> [TokenID] {
    encoding(of: text, findsSpecial: false).ids
  }

  /// Returns the bytes that `id` stands for in the middle of a text: a special token in its written
  /// form, a continuation without its prefix, and `▁` as a space.
  package func bytes(of id: TokenID) throws(TokenizerError) -> [UInt8] {
    try vocabulary.check(id)
    if let token = added.token(id) { return Array(token.content.utf8) }
    return vocabulary.innerText(of: id)
  }

  /// Decodes `ids` to UTF-8, special tokens in their written form.
  ///
  /// Throws `TokenizerError.unknownID` at the first id outside the vocabulary.
  package func bytes(of ids: [TokenID]) throws(TokenizerError) -> [UInt8] {
    try text(of: ids, skipsSpecial: false)
  }

  /// Decodes `ids` to UTF-8, with or without special tokens.
  ///
  /// Throws `TokenizerError.unknownID` at the first id outside the vocabulary.
  package func text(of ids: [TokenID], skipsSpecial: Bool) throws(TokenizerError) -> [UInt8] {
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
