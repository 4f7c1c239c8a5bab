import Files
import Glibc

/// A file of the corpus.
package struct SourceFile: Sendable, Hashable {
  /// The contents to read from files, which decide the supported kinds of file.
  package enum Contents: Sendable {
    /// Texts to pretrain on.
    case documents
    /// Examples to fine-tune on; see `Record`.
    case records

    /// The supported file name endings, without `.gz`.
    var endings: [(name: String, kind: Kind)] {
      switch self {
      case .documents: [(".txt", .text), (".jsonl", .jsonLines)]
      case .records: [(".jsonl", .jsonLines), (".json", .json), (".csv", .table)]
      }
    }

    /// The supported file name endings as a phrase for error sentences, with `.gz`.
    package var supported: String {
      let names = endings.map(\.name)
      let all = names + names.map { $0 + ".gz" }
      return all.dropLast().joined(separator: ", ") + " or " + (all.last ?? "")
    }
  }

  /// The layout of documents or records in a file.
  package enum Kind: Sendable {
    /// The whole file is one document.
    case text
    /// Each line is a JSON object with the text of one document in a field, or with one record.
    case jsonLines
    /// A JSON list of objects, each with one record.
    case json
    /// CSV with a header line; each row is one record.
    case table
  }

  /// The path, joined to the base folder.
  package let path: String
  package let kind: Kind
  /// True when the file is compressed with gzip.
  package let isCompressed: Bool
  /// The size on disk, in bytes.
  package let byteCount: Int
  /// The time of the last change of the content, in nanoseconds since 1970.
  package let modified: Int
  let identity: FileStatus.Identity

  /// The largest document or record, in bytes: 128 MiB for a line of JSON, an element of a list or a
  /// row of a table.
  static let recordLimit = 1 << 27

  /// The largest file that is read as a whole, in bytes: 4 GiB of text, 1 GiB of JSON or CSV, and
  /// 512 MiB of anything that is compressed, whose size on disk says little.
  var wholeLimit: Int { isCompressed ? 1 << 29 : kind == .text ? 1 << 32 : 1 << 30 }

  /// Opens the file at `path` with `contents`; its name determines its kind.
  package init(_ path: String, of contents: Contents = .documents) throws(DatasetError) {
    guard let status = FileStatus(path) else {
      throw DatasetError(.call(operation: "open", path: path, code: errno))
    }
    try DatasetError.wrapping { () throws(StorageError) in try status.requireFile(at: path) }
    guard let (kind, isCompressed) = Self.kind(ofName: path, of: contents) else {
      throw .unsupportedKind(path: path, supported: contents.supported)
    }
    self.path = path
    self.kind = kind
    self.isCompressed = isCompressed
    byteCount = status.byteCount
    modified = status.modified
    identity = status.identity
  }

  static func kind(
    ofName name: String, of contents: Contents
  ) -> (Kind, isCompressed: Bool)? {
    let lower = name.lowercased()
    let isCompressed = lower.hasSuffix(".gz")
    let stem = isCompressed ? String(lower.dropLast(3)) : lower
    return contents.endings.first { stem.hasSuffix($0.name) }.map { ($0.kind, isCompressed) }
  }
}

extension SourceFile {
  /// Returns the whole text, which is checked to be UTF-8 and not empty, without a byte-order mark.
  ///
  /// Throws `DatasetError.documentTooLarge` over `limit` bytes.
  func text(limit: Int) throws(DatasetError) -> [UInt8] {
    var reader = try ByteReader(self)
    var bytes: [UInt8] = []
    if !isCompressed { bytes.reserveCapacity(min(byteCount, limit)) }
    while try reader.read(into: &bytes) {
      guard bytes.count <= limit else {
        throw .documentTooLarge(path: path, line: nil, limit: limit)
      }
    }
    try TextCheck.check(bytes, path: path, offset: 0)
    if bytes.starts(with: TextCheck.byteOrderMark) { bytes.removeFirst(3) }
    guard !bytes.isEmpty else { throw .emptyFile(path: path) }
    return bytes
  }
}
