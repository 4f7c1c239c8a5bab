import Files
import Tokenizers

/// Writes a token shard document by document, in bounded memory plus 8 bytes a document.
///
/// The file gets its name only in `publish()`; a writer that is released before removes its file.
package final class TokenShardWriter {
  private var pending: PendingFile
  private var header: TokenShardHeader
  private var starts: [UInt64] = []
  private var buffer: [UInt8] = []
  private static let bufferCapacity = 1 << 20

  /// Starts a shard for `path`, with ids below `vocabularySize`.
  package init(
    _ path: String, vocabularySize: Int, endOfText: TokenID, fingerprint: UInt64
  ) throws(DatasetError) {
    precondition(
      endOfText >= 0 && endOfText < vocabularySize,
      "end-of-text \(endOfText) in a vocabulary of \(vocabularySize)")
    pending = try DatasetError.wrapping { () throws(StorageError) in try PendingFile(path) }
    header = TokenShardHeader(
      vocabularySize: vocabularySize, endOfText: Int(endOfText), fingerprint: fingerprint)
    buffer.reserveCapacity(Self.bufferCapacity)
    // Reserves space for the header, which is known last.
    try write([UInt8](repeating: 0, count: TokenShardHeader.byteCount))
  }

  /// The counts so far; the checksum is valid after `finish()`.
  package var summary: TokenShard.Summary {
    TokenShard.Summary(
      tokens: header.tokenCount, documents: header.documentCount, textBytes: header.textBytes,
      checksum: header.payloadChecksum)
  }

  /// Appends a document of `textBytes` bytes with the ids `ids`, and its end-of-text.
  package func append(_ ids: [TokenID], textBytes: Int) throws(DatasetError) {
    starts.append(UInt64(header.tokenCount))
    for id in ids { try append(id) }
    try append(TokenID(header.endOfText))
    header.tokenCount += ids.count + 1
    header.documentCount += 1
    header.textBytes += textBytes
  }

  /// Writes the document table and the header and synchronises the file with the disk, still under its
  /// temporary name.
  package func finish() throws(DatasetError) {
    let padding = (8 - header.tokenCount * header.idWidth % 8) % 8
    buffer.append(contentsOf: repeatElement(0, count: padding))
    for start in starts {
      withUnsafeBytes(of: start.littleEndian) { buffer.append(contentsOf: $0) }
      if buffer.count >= Self.bufferCapacity { try flush() }
    }
    try flush()
    try write(header.encoded(), at: 0)
    try DatasetError.wrapping { () throws(StorageError) in try pending.finish() }
  }

  /// Renames the finished file to its destination.
  package func publish() throws(DatasetError) {
    try DatasetError.wrapping { () throws(StorageError) in try pending.publish() }
  }

  private func append(_ id: TokenID) throws(DatasetError) {
    precondition(
      id >= 0 && id < header.vocabularySize,
      "the tokenizer returned the id \(id) with a vocabulary of \(header.vocabularySize)")
    let word = UInt32(bitPattern: id)
    buffer.append(UInt8(truncatingIfNeeded: word))
    buffer.append(UInt8(truncatingIfNeeded: word >> 8))
    if header.idWidth == 4 {
      buffer.append(UInt8(truncatingIfNeeded: word >> 16))
      buffer.append(UInt8(truncatingIfNeeded: word >> 24))
    }
    if buffer.count >= Self.bufferCapacity { try flush() }
  }

  private func write(_ bytes: [UInt8], at position: Int? = nil) throws(DatasetError) {
    try DatasetError.wrapping { () throws(StorageError) in
      try pending.write(bytes, at: position)
    }
  }

  private func flush() throws(DatasetError) {
    header.payloadChecksum = buffer.withUnsafeBytes {
      Checksum.crc32($0, continuing: header.payloadChecksum)
    }
    try write(buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}
