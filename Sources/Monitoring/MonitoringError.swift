/// What can go wrong in telling what happened.
public enum MonitoringError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A file cannot be written: disk full, read-only, no permission (exit code 5).
  case storage(path: String, operation: String, reason: String)

  /// One sentence: what, where, why, and what to do.
  public var description: String {
    switch self {
    case .storage(let path, let operation, let reason):
      "\(path): cannot \(operation) the file: \(reason); make room or check the permissions, "
        + "and start the same command again to resume."
    }
  }
}
