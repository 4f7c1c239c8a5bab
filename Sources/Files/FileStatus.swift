import Glibc

/// The result of `stat`.
package struct FileStatus: Sendable {
  package enum Kind: Sendable { case file, folder, other }

  /// A file's identity, which its hard and symbolic links share.
  package struct Identity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
  }

  package let kind: Kind
  /// True for a pipe or a FIFO, whose kind is `other`.
  package let isPipe: Bool
  package let byteCount: Int
  /// The time of the last change of the content, in nanoseconds since 1970.
  package let modified: Int
  package let identity: Identity

  /// Reads the status of `path`; nil, with `errno` set, when it fails.
  ///
  /// - Parameter followsLinks: False for the status of a link itself, whose kind is `other`.
  package init?(_ path: String, followsLinks: Bool = true) {
    var status = stat()
    guard (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
    self.init(status)
  }

  /// Returns true when there is something at `path`, also a link to nothing: a file that may be missing
  /// must not count as missing when its content is.
  package static func isPresent(_ path: String) -> Bool {
    FileStatus(path, followsLinks: false) != nil
  }

  /// Throws unless it is the status of a regular file; reading anything else may never end.
  ///
  /// - Parameter path: The path for the error: ``StorageError/notAFile(path:)``, or that of the call
  ///   for a folder.
  package func requireFile(at path: String) throws(StorageError) {
    switch kind {
    case .file: return
    case .folder: throw .call(operation: "read", path: path, code: EISDIR)
    case .other: throw .notAFile(path: path)
    }
  }

  init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      default: .other
      }
    isPipe = status.st_mode & S_IFMT == S_IFIFO
    byteCount = Int(status.st_size)
    modified = Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec)
    identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }
}
