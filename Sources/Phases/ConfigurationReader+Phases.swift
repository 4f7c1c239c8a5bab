import Configuration
import Datasets

extension ConfigurationReader {
  /// Reads a key for held-out data: a fraction of the documents or examples, or files of their own.
  mutating func validation(
    _ key: String, of what: String
  ) throws(ConfigurationError) -> ValidationSource {
    let typed = try strings(
      key, default: ["0.1"], decidesBits: false,
      help: "fraction of the \(what) to hold out, or files, folders and globs to validate on")
    if typed.isEmpty { return .fraction(0) }
    guard typed.count == 1, let fraction = Double(typed[0]) else { return .files(typed) }
    guard fraction >= 0 && fraction < 1 else {
      throw rejection(of: key, because: "a fraction must be in 0..<1, not \(typed[0])")
    }
    return .fraction(fraction)
  }

  /// Refuses the first of `keys` that has another value than its default.
  ///
  /// - Parameters:
  ///   - keys: Keys that have been read, or sections, such as `lora`, for all keys in them.
  ///   - reason: The reason, as for `rejection(of:because:)`.
  func refuse(_ keys: [String], because reason: String) throws(ConfigurationError) {
    if let key = keys.flatMap(keysRead).first(where: isChanged) {
      throw rejection(of: key, because: reason)
    }
  }

  /// Returns the keys that have been read in `section`, or `section` itself if it is a key.
  func keysRead(in section: String) -> [String] {
    schema.map(\.path).filter { $0 == section || $0.hasPrefix("\(section).") }
  }
}
