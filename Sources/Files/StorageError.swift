import Glibc

/// A failure of the disk, the network file system or its permissions; exit code 5.
///
/// Errors in the *contents* of a file belong to the module that reads it.
package enum StorageError: Error, Equatable, Sendable {
  /// A system call that failed; `operation` is a verb for sentences, `code` the `errno`.
  case call(operation: String, path: String, code: Int32)
  /// A write that has made no progress for so many seconds.
  case hangs(path: String, seconds: Int)
  /// Fewer than `needed` bytes are free.
  case full(path: String, needed: Int, available: Int)
  /// A written file does not have the size that its writer reported.
  case incomplete(path: String, expected: Int, found: Int)
  /// A FIFO, a socket or a device where a regular file is needed; exit code 2.
  case notAFile(path: String)
  /// A FIFO, a socket or a device where the program writes a file of its own.
  case occupied(path: String)
  /// A file of more than `limit` bytes, which is not read; exit code 2.
  case tooLarge(path: String, limit: Int)
  /// A newer attempt has claimed the checkpoint folder, so this attempt may no longer publish.
  case superseded(path: String, attempt: String, holder: String)

  /// True when the path itself cannot be what is needed, whatever the state of the disk.
  package var isFaultOfPath: Bool {
    switch self {
    case .call(_, _, let code): [ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG].contains(code)
    case .notAFile, .tooLarge: true
    default: false
    }
  }

  /// True when a newer attempt has taken the folder over.
  package var isSuperseded: Bool {
    if case .superseded = self { true } else { false }
  }

  /// True where a folder, a FIFO, a socket or a device stands in the place of a file to read.
  package var isOfNoFile: Bool {
    switch self {
    case .notAFile, .call("read", _, EISDIR): true
    default: false
    }
  }

  /// The reason alone, as the system words it.
  package var reason: String {
    switch self {
    case .call(_, _, let code): Self.reason(code)
    case .notAFile, .occupied: "it is not a regular file"
    case .tooLarge(_, let limit): "it has more than \(limit) bytes"
    default: description
    }
  }

  /// Returns the system's words for an `errno`.
  package static func reason(_ code: Int32) -> String {
    String(cString: strerror(code))
  }
}

extension StorageError: CustomStringConvertible {
  /// One sentence: what, where, why, what to do.
  package var description: String {
    switch self {
    case .call(_, let path, ENOSPC), .call(_, let path, EDQUOT):
      "the disk or quota is full at \(path); free some space or keep fewer checkpoints"
    case .call(_, let path, EROFS):
      "cannot write \(path) because its file system is read-only; choose another folder"
    case .call(_, let path, EFBIG):
      """
      \(path) would exceed the largest size of a file; raise the limit that ulimit -f shows, or \
      choose another file system
      """
    case .call(let operation, let path, _) where isFaultOfPath:
      "cannot \(operation) \(path): \(reason); name another path"
    case .call(let operation, let path, EACCES), .call(let operation, let path, EPERM):
      "no permission to \(operation) \(path); change its owner or mode, or choose another folder"
    case .call(_, let path, ENOENT):
      "\(path) does not exist; check the path, and whether another process removed it"
    case .call(let operation, let path, _):
      "cannot \(operation) \(path): \(reason); check the disk or its mount"
    case .hangs(let path, let seconds):
      """
      nothing could be written to \(path) for \(seconds) seconds; check that its file system, such as \
      a server of NFS, responds
      """
    case .full(let path, let needed, let available):
      """
      no room at \(path): \(needed) bytes are needed and \(available) are free; free some space or \
      keep fewer checkpoints
      """
    case .incomplete(let path, let expected, let found):
      """
      \(path) has \(found) bytes where its writer wrote \(expected); check that every rank sees \
      the same run folder
      """
    case .notAFile(let path):
      "\(path) is not a regular file, and is not read; give the path of one"
    case .occupied(let path):
      "\(path) is not a regular file, where one is to be written; remove it, or choose another folder"
    case .tooLarge(let path, let limit):
      "\(path) has more than \(limit) bytes, the limit of such a file; check that it is the right one"
    case .superseded(let path, let attempt, let holder):
      """
      attempt \(attempt) may no longer write to \(path) because attempt \(holder) has taken it \
      over; end this run
      """
    }
  }
}

/// An error of a module that has its own sentences for failures of the storage.
package protocol StorageErrorConvertible: Error {
  /// The error that `failure` is to this module.
  init(_ failure: StorageError)
}

extension StorageErrorConvertible {
  /// Runs `body` and converts its failure.
  package static func wrapping<Result: ~Copyable>(
    _ body: () throws(StorageError) -> Result
  ) throws(Self) -> Result {
    do { return try body() } catch { throw Self(error) }
  }
}
