/// The keys of one `config.json`, or of a map in it, read with checks.
struct ConfigurationFields {
  private(set) var values: [String: ConfigurationValue]
  let path: String
  /// The name of the map with a dot at its end; empty for the file.
  var prefix = ""

  /// Returns the name of `key` in the file, for errors.
  func name(_ key: String) -> String { prefix + key }

  /// True when the key is there, with a value or `null`.
  func states(_ key: String) -> Bool { values[key] != nil }

  /// True when the key has a value.
  func has(_ key: String) -> Bool { (values[key] ?? .null) != .null }

  /// Returns the value of `key`; `fallback` when it is absent, which is refused without one.
  ///
  /// - Parameters:
  ///   - needed: The admitted values, for the error.
  ///   - convert: Returns nil for a value that is not admitted.
  private func value<Value>(
    _ key: String, default fallback: Value?, _ needed: String,
    _ convert: (ConfigurationValue) -> Value?
  ) throws(ModelError) -> Value {
    let value = values[key] ?? .null
    if value == .null {
      if let fallback { return fallback }
      throw .badConfiguration(path: path, reason: "the key \(name(key)) is missing")
    }
    guard let result = convert(value) else { throw refusal(key, value, needed) }
    return result
  }

  func refusal(
    _ key: String, _ value: ConfigurationValue, _ needed: String
  ) -> ModelError {
    .badConfiguration(
      path: path, reason: "\(name(key)) is \(value.text), where \(needed) is needed")
  }

  /// Returns a size in 1…limit.
  ///
  /// The limits are far above any published model; they keep a hostile file from asking for more
  /// memory than there is.
  func size(_ key: String, atMost limit: Int, default fallback: Int? = nil) throws(ModelError)
    -> Int
  {
    try integer(key, in: 1...limit, default: fallback)
  }

  /// Returns a count in 0…limit.
  func count(_ key: String, atMost limit: Int, default fallback: Int) throws(ModelError) -> Int {
    try integer(key, in: 0...limit, default: fallback)
  }

  private func integer(_ key: String, in range: ClosedRange<Int>, default fallback: Int?)
    throws(ModelError) -> Int
  {
    let needed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    return try value(key, default: fallback, needed) {
      if case .integer(let value) = $0, range.contains(value) { value } else { nil }
    }
  }

  /// Returns a positive number, such as an epsilon.
  ///
  /// - Parameter isFloat: True for a key that must have a decimal point or an exponent.
  func positive(
    _ key: String, default fallback: Double? = nil, isFloat: Bool = false
  ) throws(ModelError) -> Double {
    let needed = "a positive number" + (isFloat ? " with a decimal point" : "")
    return try value(key, default: fallback, needed) { value in
      if isFloat, case .integer = value { return nil }
      return value.number { $0 > 0 }
    }
  }

  /// Returns a dropout rate in [0, 1).
  func rate(_ key: String, default fallback: Double) throws(ModelError) -> Float {
    Float(
      try value(key, default: fallback, "a number from 0 to below 1") {
        $0.number { (0..<1).contains($0) && Float($0) < 1 }
      })
  }

  /// Returns a token id.
  func id(_ key: String, below vocabulary: Int, default fallback: Int) throws(ModelError) -> Int {
    try value(key, default: fallback, "an id of the vocabulary 0..<\(vocabulary)") {
      if case .integer(let id) = $0, (0..<vocabulary).contains(id) { id } else { nil }
    }
  }

  /// Returns a list of token ids, or a single one; `fallback` when the key is absent, and none for
  /// `null`.
  func ids(
    _ key: String, below vocabulary: Int, default fallback: [Int]
  ) throws(ModelError) -> [Int] {
    if !has(key), states(key) { return [] }
    let needed = "an id of the vocabulary 0..<\(vocabulary), or a list of ids,"
    return try value(key, default: fallback, needed) { value in
      let several: [ConfigurationValue] = if case .list(let list) = value { list } else { [value] }
      let ids = several.compactMap { value in
        if case .integer(let id) = value, (0..<vocabulary).contains(id) { id } else { nil as Int? }
      }
      return ids.count == several.count ? ids : nil
    }
  }

  /// The key of the padding id.
  static let paddingKey = "pad_token_id"

  /// Returns the padding id; nil when it is null or negative, which means none in the files of older
  /// models.
  ///
  /// - Parameter fallback: The id of an absent key.
  func padding(below vocabulary: Int, default fallback: Int? = nil) throws(ModelError) -> Int? {
    let key = Self.paddingKey
    if case .integer(let id)? = values[key], Self.isNoPadding(id) { return nil }
    guard has(key) else { return states(key) ? nil : fallback }
    return try id(key, below: vocabulary, default: 0)
  }

  /// Returns true for a padding id that means none.
  static func isNoPadding(_ id: Int) -> Bool { id < 0 }

  func flag(_ key: String, default fallback: Bool) throws(ModelError) -> Bool {
    try value(key, default: fallback, "true or false") {
      if case .flag(let value) = $0 { value } else { nil }
    }
  }

  func text(_ key: String, default fallback: String? = nil) throws(ModelError) -> String {
    try value(key, default: fallback, "text") {
      if case .text(let value) = $0 { value } else { nil }
    }
  }

  /// Returns the case whose raw value is the text; `fallback` when it is absent, which is refused
  /// without one.
  func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ key: String, default fallback: Value? = nil
  ) throws(ModelError) -> Value {
    let text = try text(key, default: fallback?.rawValue)
    guard let value = Value(rawValue: text) else {
      throw .unsupported(
        path: path, key: key, value: text,
        supported: Value.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return value
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
          reason:
            "\(name(key)) has a key \(other), where only \(names.joined(separator: ", ")) are known"
        )
      }
      return ConfigurationFields(values: map, path: path, prefix: "\(name(key)).")
    case let other: throw refusal(key, other, "a map")
    }
  }

  /// Returns a list of texts; a single text is a list of one, an absent key an empty list.
  func texts(_ key: String) throws(ModelError) -> [String] {
    switch values[key] ?? .null {
    case .null: return []
    case .text(let text): return [text]
    case .list(let list):
      var texts: [String] = []
      for value in list {
        guard case .text(let text) = value else {
          throw .badConfiguration(
            path: path, reason: "\(key) holds \(value.text), where texts are needed")
        }
        texts.append(text)
      }
      return texts
    case let other: throw refusal(key, other, "a list of texts")
    }
  }

  /// Returns the value that several keys give, which must agree; nil without any.
  func agreed<Value: Equatable>(_ given: [(key: String, value: Value)]) throws(ModelError)
    -> Value?
  {
    guard let first = given.first else { return nil }
    if let other = given.first(where: { $0.value != first.value }) {
      throw .badConfiguration(
        path: path,
        reason: "\(first.key) and \(other.key) contradict each other; remove the one with which "
          + "the model was not trained")
    }
    return first.value
  }

  /// Returns the fields with the values of keys under the other names that `aliases` gives them.
  func renaming(_ aliases: [String: String]) throws(ModelError) -> ConfigurationFields {
    var fields = self
    for (alias, key) in aliases.sorted(by: { $0.key < $1.key }) where has(alias) {
      let given = [alias, key].filter(has).map { (key: $0, value: values[$0] ?? .null) }
      fields.values[key] = try agreed(given) ?? .null
    }
    return fields
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

  /// Refuses a key with a value; for features that the program does not support.
  func requireNothing(_ key: String) throws(ModelError) {
    switch values[key] ?? .null {
    case .null, .flag(false): return
    case .list(let list) where list.isEmpty: return
    case .map(let map) where map.isEmpty: return
    case let other:
      throw .unsupported(path: path, key: name(key), value: other.text, supported: "none")
    }
  }
}

extension ConfigurationValue {
  /// Returns the number if it is good and finite in fp32; nil for every other value.
  fileprivate func number(isGood: (Double) -> Bool) -> Double? {
    let number: Double? =
      switch self {
      case .integer(let value): Double(value)
      case .number(let value): value
      default: nil
      }
    return number.flatMap { isGood($0) && Float($0).isFinite ? $0 : nil }
  }
}
