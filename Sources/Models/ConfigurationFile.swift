import Files
import Foundation

/// Reading and writing of the `config.json` of every family.
package enum ConfigurationFile {
  /// Reads the `config.json` at `path`; for a network with another head, returns the language model
  /// that has the same backbone.
  package static func read(_ path: String) throws(ModelError) -> any ModelConfiguration {
    try model(fields(path))
  }

  /// Reads the `config.json` at `path`: a language model, a sequence classifier, a token
  /// classifier, or an encoder without a head.
  package static func readNetwork(_ path: String) throws(ModelError) -> any NetworkConfiguration {
    let fields = try fields(path)
    let model = try model(fields)
    guard case .list(let names)? = fields.values["architectures"],
      case .text(let name)? = names.first
    else { return model }
    if model.prediction.isBidirectional
      && name == model.architecture.name(withHead: TextEncoderConfiguration.suffix)
    {
      return TextEncoderConfiguration(model, hasPooler: true)
    }
    return try consistent(path) { () throws(ModelError) in
      if name.hasSuffix(TokenClassifierConfiguration.suffix) {
        return try TokenClassifierConfiguration(fields, model)
      }
      guard name.hasSuffix(SequenceClassifierConfiguration.suffix) else { return model }
      return try SequenceClassifierConfiguration(fields, model)
    }
  }

  /// Returns, sorted, the keys of the `config.json` at `path` that have a value and are in no list of
  /// the family.
  package static func unknownKeys(
    _ path: String, of network: any NetworkConfiguration
  ) throws(ModelError) -> [String] {
    let known = network.model.knownKeys
    return try fields(path).values.filter { !known.contains($0.key) && $0.value != .null }
      .keys.sorted()
  }

  /// Reads the model that `data` describes; `path` is for error messages.
  package static func parse(_ data: Data, path: String) throws(ModelError)
    -> any ModelConfiguration
  {
    try model(fields(data, path: path))
  }

  /// Returns the keys of the file at `path`.
  static func fields(_ path: String) throws(ModelError) -> ConfigurationFields {
    try fields(contents(path), path: path)
  }

  /// Returns the keys of a JSON object.
  static func fields(_ data: Data, path: String) throws(ModelError) -> ConfigurationFields {
    let pairs = try members(data, path: path).map { ($0.key, ConfigurationValue($0.value)) }
    // Of canonically equivalent keys, none of which has a meaning, the first stays.
    return ConfigurationFields(values: Dictionary(pairs) { first, _ in first }, path: path)
  }

  private static func contents(_ path: String) throws(ModelError) -> Data {
    do throws(StorageError) {
      return Data(try InputFile.contents(of: path))
    } catch {
      throw .badConfiguration(path: path, reason: "the file cannot be read: \(error.reason)")
    }
  }

  /// Returns the maps in the list of the file at `path`.
  static func list(_ path: String) throws(ModelError) -> [ConfigurationFields] {
    let bytes = Array(try contents(path))
    let value: JSONValue
    do {
      value = try JSONReader.read(bytes)
    } catch {
      throw .badConfiguration(
        path: path,
        reason: "it is not valid JSON: \(error.reason) (line \(error.line), byte \(error.offset))")
    }
    guard case .list(let values) = ConfigurationValue(value) else {
      throw .badConfiguration(path: path, reason: "it holds \(value.kind) where a list is expected")
    }
    var list: [ConfigurationFields] = []
    for value in values {
      guard case .map(let map) = value else {
        throw .badConfiguration(path: path, reason: "its list holds \(value.text), not a map")
      }
      list.append(ConfigurationFields(values: map, path: path))
    }
    return list
  }

  /// Returns the keys of the file at `path` in order.
  static func members(_ path: String) throws(ModelError) -> [(key: String, value: JSONValue)] {
    try members(contents(path), path: path)
  }

  /// Returns the keys of a JSON object in order; repeated keys are refused.
  private static func members(
    _ data: Data, path: String
  ) throws(ModelError) -> [(key: String, value: JSONValue)] {
    let value: JSONValue
    do {
      value = try JSONReader.read(Array(data))
    } catch {
      throw .badConfiguration(
        path: path,
        reason: "it is not valid JSON: \(error.reason) (line \(error.line), byte \(error.offset))")
    }
    if let members = value.members { return members }
    throw .badConfiguration(
      path: path,
      reason: "it holds \(value.kind) where an object of settings is expected; copy the original "
        + "file again")
  }

  private static func model(_ fields: ConfigurationFields) throws(ModelError)
    -> any ModelConfiguration
  {
    let type = try fields.text("model_type")
    guard let family = ModelFamilies.reading(modelType: type) else {
      throw .unsupported(
        path: fields.path, key: "model_type", value: type,
        supported: ModelFamilies.modelTypes.joined(separator: ", "))
    }
    return try consistent(fields.path) { () throws(ModelError) in
      try family.configuration.init(fields)
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

  /// Returns the bytes of `config.json`; equal configurations give equal bytes.
  package static func bytes(_ configuration: any NetworkConfiguration) -> Data {
    bytes(configuration.json)
  }

  /// Returns the bytes of a JSON file with these keys.
  package static func bytes(_ json: [String: ConfigurationValue]) -> Data {
    Data(ConfigurationValue.map(json).json.indented + Array("\n".utf8))
  }
}
