/// The tokens of a model, mapped from text to id and back.
struct Vocabulary: Sendable {
  private var table: ByteStringTable
  /// The id of each string of the table.
  private var ids: [TokenID] = []
  /// The table index of each id's text; −1 for an id that is not a token of the model.
  private var strings: [Int32] = []

  /// Creates a vocabulary of `entries`, whose ids are distinct and in `0..<size`.
  init(_ entries: [(token: [UInt8], id: TokenID)], size: Int) {
    table = ByteStringTable(capacity: entries.count)
    strings = [Int32](repeating: -1, count: size)
    for (token, id) in entries where strings[Int(id)] < 0 {
      let (index, inserted) = table.insert(token)
      if inserted { ids.append(id) }
      strings[Int(id)] = Int32(index)
    }
  }

  /// Returns the id of `token`; nil when the vocabulary does not contain it.
  @inline(__always)
  func id(of token: UnsafeBufferPointer<UInt8>) -> TokenID? {
    table.find(token).map { ids[$0] }
  }

  /// Returns the id of `token`; nil when the vocabulary does not contain it.
  func id(of token: [UInt8]) -> TokenID? {
    token.withUnsafeBufferPointer { id(of: $0) }
  }

  /// Returns the bytes of `id`; nil when it is not a token of the model.
  func token(_ id: TokenID) -> ArraySlice<UInt8>? {
    guard id >= 0, Int(id) < strings.count, strings[Int(id)] >= 0 else { return nil }
    return table[Int(strings[Int(id)])]
  }

  /// The ids of `<0x00>` to `<0xFF>`, sentencepiece's spelling of bytes; −1 for a missing one.
  var byteTokens: [TokenID] {
    (UInt8.min...UInt8.max).map { byte in id(of: Self.spelling(ofByte: byte)) ?? -1 }
  }

  static func spelling(ofByte byte: UInt8) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    return Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]] + Array(">".utf8)
  }
}
