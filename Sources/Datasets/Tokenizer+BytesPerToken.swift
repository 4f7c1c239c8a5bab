import Tokenizers

extension Tokenizer {
  /// How many bytes of text each id stands for, by id; special tokens stand for none.
  ///
  /// Bits per byte is the summed loss in bits over the summed table of the counted targets: it
  /// compares models whose tokenizers differ.
  public func bytesPerToken() throws(TokenizerError) -> [Int32] {
    var table = [Int32](repeating: 0, count: vocabularySize)
    for id in 0..<TokenID(vocabularySize) where !isSpecial(id) {
      table[Int(id)] = Int32(try bytes(of: id).count)
    }
    return table
  }
}
