/// An error in writing logs and metrics.
package enum MonitoringError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A file operation failed: disk full, read-only, no permission (exit code 5).
  case storage(path: String, operation: String, reason: String)

  /// The error in one sentence: what, where, why, and what to do.
  package var description: String {
    switch self {
    case .storage(let path, let operation, let reason):
      "\(path): cannot \(operation) the file: \(reason); free some space or check the permissions, "
        + "and run the same command again to resume."
    }
  }
}
