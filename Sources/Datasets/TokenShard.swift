import Tokenizers

/// A token shard on disk, mapped into memory: the ids of many documents, one after the other.
///
/// The format is drawn in `TokenShardHeader.swift`.
public struct TokenShard: Sendable {
  /// How many tokens, documents and bytes of text a shard holds, and the checksum of its content.
  public struct Summary: Sendable, Hashable, Codable {
    /// Count of tokens, the end-of-text of each document included.
    public let tokens: Int
    /// Count of documents.
    public let documents: Int
    /// Bytes of the text before tokenization.
    public let textBytes: Int
    /// CRC-32 of ids and document table: two shards that share it hold the same tokens.
    public let checksum: UInt32
  }

  /// The path of the file.
  public let path: String
  /// The ids of all documents, each ended by end-of-text.
  public let tokens: TokenStream
  /// What is in it.
  public let summary: Summary
  /// The fingerprint of the tokenizer that made it.
  public let fingerprint: UInt64
  private let file: MappedFile
  private let tableOffset: Int

  /// Maps the shard at `path`.
  ///
  /// Checks the header and the length; `verify()` checks the content.
  public init(opening path: String) throws(DatasetError) {
    file = try MappedFile(path)
    self.path = path
    let header = try TokenShardHeader(file)
    tokens = TokenStream(
      file, offset: TokenShardHeader.byteCount, width: header.idWidth, count: header.tokenCount,
      vocabularySize: header.vocabularySize, endOfText: TokenID(header.endOfText))
    summary = Summary(
      tokens: header.tokenCount, documents: header.documentCount, textBytes: header.textBytes,
      checksum: header.payloadChecksum)
    fingerprint = header.fingerprint
    tableOffset = header.tableOffset ?? file.bytes.count
  }

  /// Count of documents.
  public var documentCount: Int { summary.documents }

  /// Where document `index` lies in `tokens`, its end-of-text included.
  public func tokenRange(ofDocument index: Int) throws(DatasetError) -> Range<Int> {
    precondition(
      0..<documentCount ~= index, "document \(index) of a shard of \(documentCount) documents")
    let start = tableEntry(index)
    let end = index + 1 < documentCount ? tableEntry(index + 1) : UInt64(tokens.count)
    guard start < end, end <= tokens.count, index > 0 || start == 0 else {
      throw .inconsistentShard(
        path: path, reason: "its table of documents is out of order at document \(index)")
    }
    return Int(start)..<Int(end)
  }

  /// Reads the whole shard once and checks the checksum of its content, the order of its documents
  /// and the range of its ids.
  public func verify() throws(DatasetError) {
    let payload = UnsafeRawBufferPointer(rebasing: file.bytes[TokenShardHeader.byteCount...])
    guard Checksum.crc32(payload) == summary.checksum else {
      throw .damagedShard(path: path, part: "content")
    }
    for index in 0..<documentCount { _ = try tokenRange(ofDocument: index) }
    let stride = 1 << 16
    var ids = [TokenID](repeating: 0, count: min(stride, tokens.count))
    var start = 0
    while start < tokens.count {
      let count = min(stride, tokens.count - start)
      try tokens.copy(from: start, count: count, into: &ids, at: 0)
      start += count
    }
  }

  private func tableEntry(_ index: Int) -> UInt64 {
    UInt64(
      littleEndian: file.bytes.loadUnaligned(
        fromByteOffset: tableOffset + 8 * index, as: UInt64.self))
  }
}
