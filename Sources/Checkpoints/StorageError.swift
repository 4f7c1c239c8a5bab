import Glibc

/// An error of the disk, the network file system or its permissions; exit code 5.
///
/// Errors in the *contents* of a file are ``CheckpointError``s.
package enum StorageError: Error, Equatable, Sendable {
  /// No space or quota is left; sizes in bytes, nil if unknown.
  case full(path: String, needed: Int?, available: Int?)
  /// The file system is mounted read-only.
  case readOnly(path: String)
  /// The user has no permission for `operation`.
  case denied(path: String, operation: String)
  /// The path does not exist.
  case notFound(path: String)
  /// A written file does not have the size that its writer reported.
  case incomplete(path: String, expected: Int, found: Int)
  /// A newer attempt has claimed the checkpoint folder, so this attempt may no longer publish.
  case superseded(path: String, attempt: String, holder: String)
  /// Any other error of a system call; `code` is its `errno`.
  case io(path: String, operation: String, code: Int32)

  /// The error of a system call with the `errno` `code`.
  init(code: Int32, operation: String, path: String) {
    switch code {
    case ENOSPC, EDQUOT: self = .full(path: path, needed: nil, available: nil)
    case EROFS: self = .readOnly(path: path)
    case EACCES, EPERM: self = .denied(path: path, operation: operation)
    case ENOENT: self = .notFound(path: path)
    default: self = .io(path: path, operation: operation, code: code)
    }
  }
}

extension StorageError: CustomStringConvertible {
  /// One sentence: what, where, why, what to do.
  package var description: String {
    switch self {
    case .full(let path, let needed?, let available?):
      """
      no room at \(path): \(needed) bytes are needed and \(available) are free; free some space or \
      keep fewer checkpoints
      """
    case .full(let path, _, _):
      "the disk or quota is full at \(path); free some space or keep fewer checkpoints"
    case .readOnly(let path):
      "cannot write \(path) because its file system is read-only; choose another folder"
    case .denied(let path, let operation):
      "no permission to \(operation) \(path); change its owner or mode, or choose another folder"
    case .notFound(let path):
      "\(path) does not exist; check the path, and whether another process removed it"
    case .incomplete(let path, let expected, let found):
      """
      \(path) has \(found) bytes where its writer wrote \(expected); check that every rank sees \
      the same run folder
      """
    case .superseded(let path, let attempt, let holder):
      """
      attempt \(attempt) may no longer write to \(path) because attempt \(holder) has taken it \
      over; end this run
      """
    case .io(let path, let operation, let code):
      "cannot \(operation) \(path): \(String(cString: strerror(code))); check the disk or its mount"
    }
  }
}
