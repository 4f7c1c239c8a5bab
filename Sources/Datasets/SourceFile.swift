import Glibc

/// A file of the corpus.
public struct SourceFile: Sendable, Hashable {
  /// How documents lie in a file.
  public enum Kind: Sendable {
    /// The whole file is one document.
    case text
    /// Each line is a JSON object with the text of one document in a field.
    case jsonLines
  }

  /// Its path, joined to the base folder.
  public let path: String
  /// How documents lie in it.
  public let kind: Kind
  /// Whether it is compressed with gzip.
  public let isCompressed: Bool
  /// Its size on disk.
  public let byteCount: Int
  /// When its content last changed, in nanoseconds since 1970.
  public let modified: Int
  let identity: FileStatus.Identity

  static let supported = ".txt, .jsonl, .txt.gz or .jsonl.gz"

  /// The file at `path`, its kind told by its name.
  public init(_ path: String) throws(DatasetError) {
    guard let status = FileStatus(path) else { throw Self.failure(path: path, code: errno) }
    guard status.kind == .file else { throw .notAFile(path: path) }
    guard let (kind, isCompressed) = Self.kind(ofName: path) else {
      throw .unsupportedKind(path: path)
    }
    self.path = path
    self.kind = kind
    self.isCompressed = isCompressed
    byteCount = status.byteCount
    modified = status.modified
    identity = status.identity
  }

  static func failure(path: String, code: Int32) -> DatasetError {
    switch code {
    case ENOENT, ENOTDIR: .missing(path: path)
    case EIO, ESTALE: .storage(operation: "open", path: path, code: code)
    default: .unreadable(path: path, code: code)
    }
  }

  static func kind(ofName name: String) -> (Kind, isCompressed: Bool)? {
    let lower = name.lowercased()
    let isCompressed = lower.hasSuffix(".gz")
    let stem = isCompressed ? String(lower.dropLast(3)) : lower
    if stem.hasSuffix(".txt") { return (.text, isCompressed) }
    if stem.hasSuffix(".jsonl") { return (.jsonLines, isCompressed) }
    return nil
  }
}
