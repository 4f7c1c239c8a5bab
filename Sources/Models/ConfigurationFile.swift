import Foundation

/// Reads and writes the `config.json` of every family.
public enum ConfigurationFile {
  /// The model that the `config.json` at `path` describes.
  public static func read(_ path: String) throws(ModelError) -> any ModelConfiguration {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .badConfiguration(path: path, reason: "the file cannot be read")
    }
    return try parse(data, path: path)
  }

  /// The model that `data` describes; `path` is for messages.
  public static func parse(_ data: Data, path: String) throws(ModelError)
    -> any ModelConfiguration
  {
    guard let values = try? JSONDecoder().decode([String: ConfigurationValue].self, from: data)
    else {
      throw .badConfiguration(path: path, reason: "it is not a JSON object")
    }
    let reader = ConfigurationFields(values: values, path: path)
    switch try reader.text("model_type") {
    case "gpt2": return try GPT2Configuration(reader)
    case "llama": return try LlamaConfiguration(reader)
    case let other:
      throw .unsupported(path: path, key: "model_type", value: other, supported: "gpt2 and llama")
    }
  }

  /// The bytes of `config.json`, the same for the same configuration.
  public static func bytes(_ configuration: any ModelConfiguration) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Encoding plain values cannot fail: there is no NaN among them.
    let data = (try? encoder.encode(configuration.json)) ?? Data()
    return data + Data("\n".utf8)
  }
}

/// The keys of one `config.json`, with checks.
struct ConfigurationFields {
  let values: [String: ConfigurationValue]
  let path: String

  func size(_ key: String, default fallback: Int? = nil) throws(ModelError) -> Int {
    switch values[key] ?? .null {
    case .integer(let value) where value > 0 && value < 1 << 31: return value
    case .null:
      if let fallback { return fallback }
      throw .badConfiguration(path: path, reason: "the key \(key) is missing")
    case let other:
      throw .badConfiguration(
        path: path, reason: "\(key) is \(other), where a positive whole number is needed")
    }
  }

  func number(_ key: String, default fallback: Double) throws(ModelError) -> Double {
    switch values[key] ?? .null {
    case .integer(let value): return Double(value)
    case .number(let value): return value
    case .null: return fallback
    case let other:
      throw .badConfiguration(path: path, reason: "\(key) is \(other), where a number is needed")
    }
  }

  func flag(_ key: String, default fallback: Bool) throws(ModelError) -> Bool {
    switch values[key] ?? .null {
    case .flag(let value): return value
    case .null: return fallback
    case let other:
      throw .badConfiguration(
        path: path, reason: "\(key) is \(other), where true or false is needed")
    }
  }

  func text(_ key: String, default fallback: String? = nil) throws(ModelError) -> String {
    if case .text(let value) = values[key] ?? .null { return value }
    if let fallback { return fallback }
    throw .badConfiguration(path: path, reason: "the key \(key) is missing")
  }

  /// Refuses a value other than those the program computes.
  func require(_ key: String, oneOf supported: [String], default fallback: String)
    throws(ModelError)
  {
    let value = try text(key, default: fallback)
    guard supported.contains(value) else {
      throw .unsupported(
        path: path, key: key, value: value, supported: supported.joined(separator: ", "))
    }
  }

  /// Refuses a flag that asks for something the program does not compute.
  func refuse(_ key: String) throws(ModelError) {
    if try flag(key, default: false) {
      throw .unsupported(path: path, key: key, value: "true", supported: "false")
    }
  }
}
