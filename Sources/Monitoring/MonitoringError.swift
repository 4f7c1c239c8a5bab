import Files

/// An error in writing logs and metrics.
package enum MonitoringError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A file operation failed: disk full, read-only, no permission (exit code 5).
  case storage(StorageError)

  /// The error in one sentence: what, where, why, and what to do.
  package var description: String {
    switch self {
    case .storage(.call(let operation, let path, let code)):
      "\(path): cannot \(operation) the file: \(StorageError.reason(code)); free some space or check "
        + "the permissions, and run the same command again to resume."
    case .storage(let failure):
      "\(failure)"
    }
  }
}

extension MonitoringError: StorageErrorConvertible {
  package init(_ failure: StorageError) { self = .storage(failure) }
}
