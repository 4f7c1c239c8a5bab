/// Finds the tokens of a word: what a tokenizer learns.
protocol TokenizerModel: Sendable {
  /// Appends the tokens of `word`, which is not empty.
  func tokenize(_ word: UnsafeBufferPointer<UInt8>, into tokens: inout TokenBuffer)
}
