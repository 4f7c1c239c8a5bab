import CZlib
import Files

// A token shard, `*.tokens`. All integers little-endian.
//
//   offset  bytes  field
//        0      8  magic, "APUSTOKN"
//        8      4  version, 1
//       12      4  W, bytes of an id: 2 for vocabularies of up to 65,536 ids, else 4
//       16      8  N, number of tokens
//       24      8  D, number of documents
//       32      8  bytes of the tokenized text (end-of-text counts as none)
//       40      8  fingerprint of the tokenizer, as given by the writer
//       48      4  vocabulary size: every id is below it
//       52      4  the end-of-text id, which ends every document
//       56      4  CRC-32 of all bytes from byte 64 on
//       60      4  CRC-32 of bytes 0..<60
//       64    N·W  the ids
//              0–7  zeros, to a multiple of 8
//            8·D  the index of each document's first token, ascending from 0
//
// The table is last, at the end of the file, because the writer knows it last.

/// The first 64 bytes of a token shard.
struct TokenShardHeader: Equatable {
  static let byteCount = 64
  static let version = 1
  static let magic = Array("APUSTOKN".utf8)

  var idWidth: Int
  var tokenCount: Int
  var documentCount: Int
  var textBytes: Int
  var fingerprint: UInt64
  var vocabularySize: Int
  var endOfText: Int
  var payloadChecksum: UInt32

  static func idWidth(vocabularySize: Int) -> Int {
    vocabularySize <= 1 << 16 ? 2 : 4
  }

  /// The offset of the document table, in bytes; nil when the counts are impossible for a file.
  var tableOffset: Int? {
    let (ids, overflow) = tokenCount.multipliedReportingOverflow(by: idWidth)
    return overflow || ids > Int.max / 2 ? nil : (Self.byteCount + ids + 7) / 8 * 8
  }

  /// The expected size of the file, in bytes; nil when the counts are impossible for a file.
  var fileByteCount: Int? {
    guard let tableOffset, documentCount <= Int.max / 32 else { return nil }
    return tableOffset + 8 * documentCount
  }

  /// Returns the 64 bytes of the header, with its checksum.
  func encoded() -> [UInt8] {
    var bytes = Self.magic
    func append<T: FixedWidthInteger>(_ value: T) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    append(UInt32(Self.version))
    append(UInt32(idWidth))
    append(UInt64(tokenCount))
    append(UInt64(documentCount))
    append(UInt64(textBytes))
    append(fingerprint)
    append(UInt32(vocabularySize))
    append(UInt32(endOfText))
    append(payloadChecksum)
    append(bytes.withUnsafeBytes { Checksum.crc32($0) })
    return bytes
  }

  /// Reads the header of the mapped `file` and checks it as far as is possible without the tokens.
  init(_ file: MappedFile) throws(DatasetError) {
    let bytes = file.bytes
    let path = file.path
    func load<T: FixedWidthInteger>(_ type: T.Type, at offset: Int) -> T {
      T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }
    func count(at offset: Int) throws(DatasetError) -> Int {
      guard let value = Int(exactly: load(UInt64.self, at: offset)) else {
        throw .inconsistentShard(path: path, reason: "a count is negative")
      }
      return value
    }

    guard bytes.prefix(8).elementsEqual(Self.magic.prefix(bytes.count)) else {
      throw .notAShard(path: path)
    }
    guard bytes.count >= Self.byteCount else {
      throw .truncatedShard(path: path, bytes: bytes.count, expected: Self.byteCount)
    }
    let version = Int(load(UInt32.self, at: 8))
    guard version == Self.version else {
      throw .unknownVersion(path: path, found: version, known: Self.version)
    }
    let checksum = Checksum.crc32(UnsafeRawBufferPointer(rebasing: bytes[..<60]))
    let recorded = load(UInt32.self, at: 60)
    guard checksum == recorded else {
      throw .damagedShard(path: path, part: "header", checksum: checksum, recorded: recorded)
    }

    idWidth = Int(load(UInt32.self, at: 12))
    tokenCount = try count(at: 16)
    documentCount = try count(at: 24)
    textBytes = try count(at: 32)
    fingerprint = load(UInt64.self, at: 40)
    vocabularySize = Int(load(UInt32.self, at: 48))
    endOfText = Int(load(UInt32.self, at: 52))
    payloadChecksum = load(UInt32.self, at: 56)

    guard vocabularySize <= Int(Int32.max), endOfText < vocabularySize,
      idWidth == Self.idWidth(vocabularySize: vocabularySize)
    else { throw .inconsistentShard(path: path, reason: "its vocabulary and ids do not agree") }
    guard let expected = fileByteCount else {
      throw .inconsistentShard(path: path, reason: "its counts are impossible for a file")
    }
    guard bytes.count >= expected else {
      throw .truncatedShard(path: path, bytes: bytes.count, expected: expected)
    }
    guard bytes.count == expected else {
      throw .inconsistentShard(
        path: path, reason: "\(bytes.count - expected) bytes follow its end")
    }
    guard documentCount <= tokenCount, (documentCount == 0) == (tokenCount == 0) else {
      throw .inconsistentShard(
        path: path, reason: "\(documentCount) documents in \(tokenCount) tokens")
    }
  }

  init(
    vocabularySize: Int, endOfText: Int, fingerprint: UInt64, tokenCount: Int = 0,
    documentCount: Int = 0, textBytes: Int = 0, payloadChecksum: UInt32 = 0
  ) {
    idWidth = Self.idWidth(vocabularySize: vocabularySize)
    self.tokenCount = tokenCount
    self.documentCount = documentCount
    self.textBytes = textBytes
    self.fingerprint = fingerprint
    self.vocabularySize = vocabularySize
    self.endOfText = endOfText
    self.payloadChecksum = payloadChecksum
  }
}

/// CRC-32 as in gzip and PNG, computed by zlib.
enum Checksum {
  /// Returns the checksum of `bytes` appended to data with the checksum `value`.
  static func crc32(_ bytes: UnsafeRawBufferPointer, continuing value: UInt32 = 0) -> UInt32 {
    let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    // zlib returns the initial value for a null pointer, whatever `value` is.
    guard let start else { return value }
    return UInt32(truncatingIfNeeded: crc32_z(UInt(value), start, bytes.count))
  }
}
