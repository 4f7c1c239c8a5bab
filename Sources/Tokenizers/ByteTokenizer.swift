/// The tokenizer without a vocabulary to learn: ids 0–255 are the bytes, 256 ends a document.
public struct ByteTokenizer: Tokenizer, Equatable {
  /// The written form of the special token.
  public static let endOfTextToken = "<|endoftext|>"

  /// The only byte tokenizer there is.
  public init() {}

  /// 257: the bytes and the end of text.
  public var vocabularySize: Int { 257 }

  /// 256.
  public var endOfText: TokenID { 256 }

  /// The bytes as ids.
  public func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenID] {
    bytes.map { TokenID($0) }
  }

  /// The byte `id`, or the written form of the end of text.
  public func bytes(of id: TokenID) throws(TokenizerError) -> [UInt8] {
    switch id {
    case 0..<256: return [UInt8(id)]
    case endOfText: return Array(Self.endOfTextToken.utf8)
    default: throw .unknownID(id: id, vocabularySize: vocabularySize)
    }
  }

  /// Whether `id` is 256.
  public func isSpecial(_ id: TokenID) -> Bool { id == endOfText }
}
