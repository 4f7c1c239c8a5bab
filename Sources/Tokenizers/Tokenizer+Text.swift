extension Tokenizer {
  /// The ids of `bytes`.
  public func encode(_ bytes: [UInt8]) -> [TokenID] {
    bytes.withUnsafeBufferPointer { encode($0) }
  }

  /// The ids of the UTF-8 form of `text`.
  public func encode(_ text: String) -> [TokenID] {
    var text = text
    return text.withUTF8 { encode($0) }
  }

  /// The bytes that `ids` stand for, special tokens in their written form.
  ///
  /// Throws `TokenizerError.unknownID` at the first id outside the vocabulary.
  public func decode(_ ids: some Sequence<TokenID>) throws(TokenizerError) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids { bytes += try self.bytes(of: id) }
    return bytes
  }

  /// The id of the special token written as `text`, found by looking at all of them.
  public func specialToken(_ text: String) -> TokenID? {
    let bytes = Array(text.utf8)
    return (0..<TokenID(vocabularySize)).first { id in
      isSpecial(id) && (try? self.bytes(of: id)) == bytes
    }
  }
}
