import Foundation

/// Reading and writing of the `config.json` of every family.
package enum ConfigurationFile {
  /// Reads the `config.json` at `path`; for a network with another head, returns the language model
  /// that has the same backbone.
  package static func read(_ path: String) throws(ModelError) -> any ModelConfiguration {
    try model(try values(path), path: path)
  }

  /// Reads the `config.json` at `path`: a language model, a sequence classifier, a token
  /// classifier, or an encoder without a head.
  package static func readNetwork(_ path: String) throws(ModelError) -> any NetworkConfiguration {
    let values = try values(path)
    let model = try model(values, path: path)
    guard case .list(let names)? = values["architectures"], case .text(let name)? = names.first
    else { return model }
    if name == TextEncoderConfiguration.architecture {
      return TextEncoderConfiguration(model, hasPooler: true)
    }
    if name.hasSuffix(TokenClassifierConfiguration.suffix) {
      return try consistent(path) { () throws(ModelError) in
        try TokenClassifierConfiguration(ConfigurationFields(values: values, path: path), model)
      }
    }
    guard name.hasSuffix(SequenceClassifierConfiguration.suffix) else { return model }
    return try consistent(path) { () throws(ModelError) in
      try SequenceClassifierConfiguration(ConfigurationFields(values: values, path: path), model)
    }
  }

  /// Reads the model that `data` describes; `path` is for error messages.
  package static func parse(_ data: Data, path: String) throws(ModelError)
    -> any ModelConfiguration
  {
    try model(try values(data, path: path), path: path)
  }

  /// Returns the keys of the file at `path`.
  static func values(_ path: String) throws(ModelError) -> [String: ConfigurationValue] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .badConfiguration(path: path, reason: "the file cannot be read")
    }
    return try values(data, path: path)
  }

  private static func values(_ data: Data, path: String) throws(ModelError)
    -> [String: ConfigurationValue]
  {
    guard let values = try? JSONDecoder().decode([String: ConfigurationValue].self, from: data)
    else {
      throw .badConfiguration(path: path, reason: "it is not a JSON object")
    }
    return values
  }

  private static func model(_ values: [String: ConfigurationValue], path: String)
    throws(ModelError) -> any ModelConfiguration
  {
    try consistent(path) { () throws(ModelError) in
      try configuration(ConfigurationFields(values: values, path: path))
    }
  }

  /// Returns the result of `body`, with `path` added to an error about inconsistent sizes.
  private static func consistent<R>(_ path: String, _ body: () throws(ModelError) -> R)
    throws(ModelError) -> R
  {
    do {
      return try body()
    } catch {
      guard case .inconsistent(let sentence) = error else { throw error }
      throw .badConfiguration(path: path, reason: String(sentence.dropLast()))
    }
  }

  private static func configuration(_ fields: ConfigurationFields) throws(ModelError)
    -> any ModelConfiguration
  {
    let type = try fields.text("model_type")
    if type == "gpt2" { return try GPT2Configuration(fields) }
    if type == "bert" { return try BERTConfiguration(fields) }
    if let kind = LlamaKind(rawValue: type) { return try LlamaConfiguration(fields, kind: kind) }
    if let kind = T5Configuration.Kind(rawValue: type) {
      return try T5Configuration(fields, kind: kind)
    }
    let others = LlamaKind.allCases.map(\.rawValue) + T5Configuration.Kind.allCases.map(\.rawValue)
    throw .unsupported(
      path: fields.path, key: "model_type", value: type,
      supported: (["bert", "gpt2"] + others).joined(separator: ", "))
  }

  /// Returns the bytes of `config.json`; equal configurations give equal bytes.
  package static func bytes(_ configuration: any NetworkConfiguration) -> Data {
    bytes(configuration.json)
  }

  /// Returns the bytes of a JSON file with these keys.
  package static func bytes(_ json: [String: ConfigurationValue]) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Encoding plain values cannot fail, because there is no NaN among them.
    let data = (try? encoder.encode(json)) ?? Data()
    return data + Data("\n".utf8)
  }
}

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
