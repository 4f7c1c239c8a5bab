import Files
import Tokenizers

/// A token shard on disk, mapped into memory: the concatenated ids of many documents.
///
/// The format is drawn in `TokenShardHeader.swift`.
package struct TokenShard: Sendable {
  /// The counts of tokens, documents and bytes of text of a shard, and the checksum of its content.
  package struct Summary: Sendable, Hashable, Codable {
    /// The number of tokens, the end-of-text of each document included.
    package let tokens: Int
    package let documents: Int
    /// The size of the text before tokenization, in bytes.
    package let textBytes: Int
    /// The CRC-32 of the ids and the document table, by which shards with equal tokens are recognised.
    package let checksum: UInt32
  }

  package let path: String
  /// The ids of all documents, each ended by end-of-text.
  package let tokens: TokenStream
  package let summary: Summary
  /// The fingerprint of the tokenizer that made it.
  package let fingerprint: UInt64
  private let file: MappedFile
  private let tableOffset: Int

  /// Maps the shard at `path`.
  ///
  /// Checks the header and the length; `verify()` checks the content.
  package init(opening path: String) throws(DatasetError) {
    file = try DatasetError.wrapping { () throws(StorageError) in try MappedFile(path) }
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

  package var documentCount: Int { summary.documents }

  /// Returns the range of document `index` in `tokens`, its end-of-text included.
  package func tokenRange(ofDocument index: Int) throws(DatasetError) -> Range<Int> {
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

  /// Reads the whole shard once and checks its checksum, the order of its documents and the range of
  /// its ids.
  package func verify() throws(DatasetError) {
    let payload = UnsafeRawBufferPointer(rebasing: file.bytes[TokenShardHeader.byteCount...])
    let checksum = Checksum.crc32(payload)
    guard checksum == summary.checksum else {
      throw .damagedShard(
        path: path, part: "content", checksum: checksum, recorded: summary.checksum)
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
