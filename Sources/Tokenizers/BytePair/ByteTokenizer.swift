/// The tokenizer without a learned vocabulary: ids 0–255 are the bytes, 256 ends a document.
package struct ByteTokenizer: Tokenizer, Equatable {
  /// The written form of id 256.
  package static let endOfTextToken = "<|endoftext|>"

  package let settings: TokenizerSettings

  package init() { self.init(settings: TokenizerSettings()) }

  init(settings: TokenizerSettings) { self.settings = settings }

  package var vocabularySize: Int { 257 }

  package var endOfText: TokenID { 256 }

  package func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenID] {
    bytes.map { TokenID($0) }
  }

  /// Returns the byte `id`, or the written form of the end-of-text token.
  package func bytes(of id: TokenID) throws(TokenizerError) -> [UInt8] {
    switch id {
    case 0..<256: return [UInt8(id)]
    case endOfText: return Array(Self.endOfTextToken.utf8)
    default: throw .unknownID(id: id, vocabularySize: vocabularySize)
    }
  }

  package func isSpecial(_ id: TokenID) -> Bool { id == endOfText }

  package var specialTokenScanner: SpecialTokenScanner { Self.scanner }

  private static let scanner = SpecialTokenScanner([(Array(endOfTextToken.utf8), 256)])
}
