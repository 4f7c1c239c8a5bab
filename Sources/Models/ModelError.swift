/// What can be wrong with a model's description or weights.
public enum ModelError: Error, Equatable, Sendable, CustomStringConvertible {
  /// `config.json` is not what it should be.
  case badConfiguration(path: String, reason: String)
  /// A key of `config.json` has a value that this program cannot honour.
  case unsupported(path: String, key: String, value: String, supported: String)
  /// Sizes do not fit each other.
  case inconsistent(String)

  /// One sentence: what, where, why, what to do.
  public var description: String {
    switch self {
    case .badConfiguration(let path, let reason):
      "\(path) does not describe a model: \(reason)."
    case .unsupported(let path, let key, let value, let supported):
      "\(path) has \(key) \(value), which Apus does not compute; it knows \(supported)."
    case .inconsistent(let sentence):
      sentence
    }
  }
}
