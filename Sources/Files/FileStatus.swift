import Glibc

/// The result of `stat`, with symbolic links followed.
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
  package init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
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
