import Tokenizers

extension Tokenizer {
  /// Returns the number of bytes of text of each id, indexed by id; 0 for special tokens.
  ///
  /// Bits per byte is the summed loss in bits divided by the summed bytes of the targets in the loss:
  /// it compares models with different tokenizers.
  package func bytesPerToken() throws(TokenizerError) -> [Int32] {
    var table = [Int32](repeating: 0, count: vocabularySize)
    for id in 0..<TokenID(vocabularySize) where !isSpecial(id) {
      table[Int(id)] = Int32(try bytes(of: id).count)
    }
    return table
  }
}
