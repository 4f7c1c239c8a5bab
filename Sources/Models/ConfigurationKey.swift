// Each family lists the keys of its `config.json` once, in `ModelConfiguration.keys`. The file is
// read and written by the same list, so every key name stands in one place.

/// A key of a family's `config.json` and the property that holds its value.
package struct ConfigurationKey<Model: ModelConfiguration> {
  typealias Fields = ConfigurationFields
  typealias JSON = [String: ConfigurationValue]

  /// Reads the key into a configuration into which the keys before it in the list have been read.
  let read: (Fields, inout Model) throws(ModelError) -> Void
  /// Adds the key to `config.json`.
  let write: (Model, inout JSON) -> Void

  /// A key with a rule of its own, or several keys with a common rule.
  init(
    read: @escaping (Fields, inout Model) throws(ModelError) -> Void,
    write: @escaping (Model, inout JSON) -> Void
  ) {
    self.read = read
    self.write = write
  }

  /// The key `name` of `property`.
  init<Value>(
    _ name: String, _ property: WritableKeyPath<Model, Value>,
    read: @escaping (Fields, Model) throws(ModelError) -> Value,
    write: @escaping (Value) -> ConfigurationValue
  ) {
    self.init { fields, model throws(ModelError) in
      model[keyPath: property] = try read(fields, model)
    } write: { model, json in
      json[name] = write(model[keyPath: property])
    }
  }

  /// This key, written only for models that satisfy `condition`.
  func written(when condition: @escaping (Model) -> Bool) -> Self {
    Self(read: read) { model, json in
      if condition(model) { write(model, &json) }
    }
  }

  /// This key, read and written only for models that satisfy `condition`.
  func when(_ condition: @escaping (Model) -> Bool) -> Self {
    Self { fields, model throws(ModelError) in
      if condition(model) { try read(fields, &model) }
    } write: { model, json in
      if condition(model) { write(model, &json) }
    }
  }
}

extension ConfigurationKey {
  /// A size in 1…limit.
  ///
  /// - Parameter fallback: The value of an absent key; without it the key is required.
  static func size(
    _ name: String, _ property: WritableKeyPath<Model, Int>, atMost limit: Int,
    default fallback: @escaping (Model) -> Int?
  ) -> Self {
    Self(name, property) { fields, model throws(ModelError) in
      try fields.size(name, atMost: limit, default: fallback(model))
    } write: {
      .integer($0)
    }
  }

  /// A size in 1…limit.
  static func size(
    _ name: String, _ property: WritableKeyPath<Model, Int>, atMost limit: Int,
    default fallback: Int? = nil
  ) -> Self {
    size(name, property, atMost: limit) { _ in fallback }
  }

  /// A positive number.
  static func positive(
    _ name: String, _ property: WritableKeyPath<Model, Float>, default fallback: Double
  ) -> Self {
    Self(name, property) { fields, _ throws(ModelError) in
      Float(try fields.positive(name, default: fallback))
    } write: {
      .exact($0)
    }
  }

  /// A dropout rate in [0, 1).
  static func rate(
    _ name: String, _ property: WritableKeyPath<Model, Float>, default fallback: Double
  ) -> Self {
    Self(name, property) { fields, _ throws(ModelError) in
      try fields.rate(name, default: fallback)
    } write: {
      .exact($0)
    }
  }

  static func flag(
    _ name: String, _ property: WritableKeyPath<Model, Bool>, default fallback: Bool
  ) -> Self {
    Self(name, property) { fields, _ throws(ModelError) in
      try fields.flag(name, default: fallback)
    } write: {
      .flag($0)
    }
  }

  /// A token id; the vocabulary must be read before it.
  static func id(
    _ name: String, _ property: WritableKeyPath<Model, Int>,
    default fallback: @escaping (Model) -> Int
  ) -> Self {
    Self(name, property) { fields, model throws(ModelError) in
      try fields.id(name, below: model.vocabulary, default: fallback(model))
    } write: {
      .integer($0)
    }
  }

  /// A token id that other families may lack.
  static func id(
    _ name: String, _ property: WritableKeyPath<Model, Int?>,
    default fallback: @escaping (Model) -> Int
  ) -> Self {
    Self(name, property) { fields, model throws(ModelError) in
      try fields.id(name, below: model.vocabulary, default: fallback(model))
    } write: {
      $0.map { .integer($0) } ?? .null
    }
  }

  /// One of several names with their values.
  ///
  /// - Parameters:
  ///   - values: Of names with the same value, the first is written.
  ///   - fallback: The name that an absent key stands for.
  static func choice<Value: Equatable>(
    _ name: String, _ property: WritableKeyPath<Model, Value>,
    _ values: KeyValuePairs<String, Value>, default fallback: @escaping (Model) -> String
  ) -> Self {
    Self(name, property) { fields, model throws(ModelError) in
      let text = try fields.text(name, default: fallback(model))
      guard let value = values.first(where: { $0.key == text })?.value else {
        throw .unsupported(
          path: fields.path, key: name, value: text,
          supported: values.map(\.key).joined(separator: ", "))
      }
      return value
    } write: { value in
      values.first { $0.value == value }.map { .text($0.key) } ?? .null
    }
  }

  /// A required name: the raw value of a case.
  static func name<Value: RawRepresentable<String> & CaseIterable>(
    _ name: String, _ property: WritableKeyPath<Model, Value>
  ) -> Self {
    Self(name, property) { fields, _ throws(ModelError) in
      try fields.choice(name)
    } write: {
      .text($0.rawValue)
    }
  }

  /// A setting that has one value in Apus: other values are refused, and it is written.
  ///
  /// - Parameter names: Names of the value; an absent key stands for the first, which is written.
  static func only(_ name: String, _ names: [String]) -> Self {
    Self { fields, _ throws(ModelError) in
      try fields.require(name, oneOf: names, default: names[0])
    } write: { _, json in
      json[name] = .text(names[0])
    }
  }

  /// A flag that has one value in Apus: the other is refused, and it is written.
  static func only(_ name: String, _ value: Bool) -> Self {
    Self { fields, _ throws(ModelError) in
      try fields.require(name, value)
    } write: { _, json in
      json[name] = .flag(value)
    }
  }

  /// A feature that Apus does not have: refused unless absent, null, false or empty; not written.
  static func unsupported(_ name: String) -> Self {
    Self { fields, _ throws(ModelError) in
      try fields.requireNothing(name)
    } write: { _, _ in
    }
  }

  /// A flag that must be false or absent; not written.
  static func never(_ name: String) -> Self {
    Self { fields, _ throws(ModelError) in
      try fields.require(name, false)
    } write: { _, _ in
    }
  }

  /// A key that is written and never read.
  static func written(_ name: String, _ value: @escaping (Model) -> ConfigurationValue) -> Self {
    Self { _, _ throws(ModelError) in
    } write: { model, json in
      json[name] = value(model)
    }
  }

  /// The keys of every family; no value is read from them.
  static var common: [Self] {
    [
      // Quantized weights need the scales that it describes.
      .unsupported("quantization_config"),
      .written("architectures") { .list([.text($0.architecture.name)]) },
      .written("use_cache") { _ in .flag(true) },
      // transformers 4 reads `torch_dtype`, 5 `dtype`.
      .written("dtype") { _ in .text("float32") },
      .written("torch_dtype") { _ in .text("float32") },
    ]
  }
}

extension ModelConfiguration {
  /// Reads the keys of a `config.json`.
  init(_ fields: ConfigurationFields) throws(ModelError) {
    self.init()
    for key in Self.keys { try key.read(fields, &self) }
    try check()
  }

  /// Hugging Face's keys.
  package var json: [String: ConfigurationValue] {
    var json: [String: ConfigurationValue] = [:]
    for key in Self.keys { key.write(self, &json) }
    return json
  }
}

extension ConfigurationValue {
  /// The number with the fewest digits that rounds to `value` in fp32.
  static func exact(_ value: Float) -> ConfigurationValue { .number(Double("\(value)") ?? 0) }
}
