/// The learned part of a tokenizer, which splits a word into tokens.
protocol TokenizerModel: Sendable {
  /// Appends the tokens of `word`, which is not empty.
  func tokenize(_ word: UnsafeBufferPointer<UInt8>, into tokens: inout TokenBuffer)

  /// The id of what the vocabulary has no token for; nil when there is none.
  var unknown: TokenID? { get }
}
