/// An error in a model's configuration; exit code 2.
package enum ModelError: Error, Equatable, Sendable, CustomStringConvertible {
  /// `config.json` is missing, malformed or incomplete.
  case badConfiguration(path: String, reason: String)
  /// A key of `config.json` has a value that the program does not support.
  case unsupported(path: String, key: String, value: String, supported: String)
  /// Sizes contradict each other; the sentence names them.
  case inconsistent(String)

  /// One sentence: what, where, why, what to do.
  package var description: String {
    switch self {
    case .badConfiguration(let path, let reason):
      "\(path) does not describe a model: \(reason)."
    case .unsupported(let path, let key, let value, let supported):
      "\(path) has \(key) \(value), which Apus does not support; supported: \(supported)."
    case .inconsistent(let sentence):
      sentence
    }
  }
}
