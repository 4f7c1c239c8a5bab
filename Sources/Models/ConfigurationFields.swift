/// The keys of one `config.json`, read with checks.
struct ConfigurationFields {
  let values: [String: ConfigurationValue]
  let path: String

  /// Returns a size in 1…limit.
  ///
  /// The limits are far above any published model; they keep a hostile file from asking for more
  /// memory than there is.
  func size(_ key: String, atMost limit: Int, default fallback: Int? = nil) throws(ModelError)
    -> Int
  {
    switch values[key] ?? .null {
    case .integer(let value) where (1...limit).contains(value): return value
    case .null:
      if let fallback { return fallback }
      throw .badConfiguration(path: path, reason: "the key \(key) is missing")
    case let other:
      throw .badConfiguration(
        path: path,
        reason: "\(key) is \(other.text), where a whole number from 1 to \(limit) is needed")
    }
  }

  /// Returns a count in 0…limit.
  func count(_ key: String, atMost limit: Int, default fallback: Int) throws(ModelError) -> Int {
    switch values[key] ?? .null {
    case .integer(let value) where (0...limit).contains(value): return value
    case .null: return fallback
    case let other:
      throw .badConfiguration(
        path: path,
        reason: "\(key) is \(other.text), where a whole number from 0 to \(limit) is needed")
    }
  }

  /// Returns a positive number, such as an epsilon.
  func positive(_ key: String, default fallback: Double) throws(ModelError) -> Double {
    try number(key, default: fallback, isGood: { $0 > 0 }, kind: "a positive number")
  }

  /// Returns a dropout rate in [0, 1).
  func rate(_ key: String, default fallback: Double) throws(ModelError) -> Float {
    Float(
      try number(
        key, default: fallback, isGood: { (0..<1).contains($0) && Float($0) < 1 },
        kind: "a number from 0 to below 1"))
  }

  private func number(
    _ key: String, default fallback: Double, isGood: (Double) -> Bool, kind: String
  ) throws(ModelError) -> Double {
    let value = values[key] ?? .null
    let number: Double? =
      switch value {
      case .integer(let value): Double(value)
      case .number(let value): value
      case .null: fallback
      default: nil
      }
    guard let number, isGood(number), Float(number).isFinite else {
      throw .badConfiguration(
        path: path, reason: "\(key) is \(value.text), where \(kind) is needed")
    }
    return number
  }

  /// Returns a token id; the first of a list, because some families list several end tokens.
  func id(_ key: String, below vocabulary: Int, default fallback: Int) throws(ModelError) -> Int {
    var value = values[key] ?? .null
    if case .list(let several) = value, let first = several.first { value = first }
    switch value {
    case .integer(let id) where (0..<vocabulary).contains(id): return id
    case .null: return fallback
    case let other:
      throw .badConfiguration(
        path: path,
        reason: "\(key) is \(other.text), where an id of the vocabulary 0..<\(vocabulary) is needed"
      )
    }
  }

  func flag(_ key: String, default fallback: Bool) throws(ModelError) -> Bool {
    switch values[key] ?? .null {
    case .flag(let value): return value
    case .null: return fallback
    case let other:
      throw .badConfiguration(
        path: path, reason: "\(key) is \(other.text), where true or false is needed")
    }
  }

  func text(_ key: String, default fallback: String? = nil) throws(ModelError) -> String {
    switch values[key] ?? .null {
    case .text(let value): return value
    case .null:
      if let fallback { return fallback }
      throw .badConfiguration(path: path, reason: "the key \(key) is missing")
    case let other:
      throw .badConfiguration(path: path, reason: "\(key) is \(other.text), where text is needed")
    }
  }

  /// Returns the fields of a map; nil when it is absent.
  ///
  /// - Parameter names: The keys that the map may have; any other with a value is refused.
  func map(_ key: String, of names: [String]) throws(ModelError) -> ConfigurationFields? {
    switch values[key] ?? .null {
    case .null: return nil
    case .map(let map):
      let others = map.filter { !names.contains($0.key) && $0.value != .null }
      if let other = others.keys.min() {
        throw .badConfiguration(
          path: path,
          reason: "\(key) has a key \(other), where only \(names.joined(separator: ", ")) are known"
        )
      }
      return ConfigurationFields(values: map, path: path)
    case let other:
      throw .badConfiguration(path: path, reason: "\(key) is \(other.text), where a map is needed")
    }
  }

  /// Refuses a value that is not in `supported`.
  func require(_ key: String, oneOf supported: [String], default fallback: String)
    throws(ModelError)
  {
    let value = try text(key, default: fallback)
    guard supported.contains(value) else {
      throw .unsupported(
        path: path, key: key, value: value, supported: supported.joined(separator: ", "))
    }
  }

  /// Refuses a flag whose value is not `supported`; an absent flag is accepted.
  func require(_ key: String, _ supported: Bool) throws(ModelError) {
    if try flag(key, default: supported) != supported {
      throw .unsupported(
        path: path, key: key, value: "\(!supported)", supported: "\(supported)")
    }
  }
}
