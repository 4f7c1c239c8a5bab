// Each family lists the keys of its `config.json` once, in `ModelConfiguration.keys`: every key of
// transformers' class, with what Apus does with it. The file is read and written by the same list, so
// every key name stands in one place.

/// The part that a key of `config.json` plays.
enum KeyUse: Sendable, Equatable {
  /// The network, or its training, depends on the value.
  case computed
  /// Every value but those that change nothing is refused.
  case refused
  /// The value is not read.
  case irrelevant(because: String)
}

/// A key of a configuration file and the property of `Model` that holds its value.
package struct ConfigurationKey<Model> {
  typealias Fields = ConfigurationFields
  typealias JSON = [String: ConfigurationValue]

  /// The names in the file: one, or those of several keys with a common rule.
  let names: [String]
  let use: KeyUse
  /// True for models whose class in transformers has the key; only for these it is read and written.
  private(set) var applies: (Model) -> Bool = { _ in true }
  /// Reads the key into a configuration into which the keys before it in the list have been read.
  let read: (Fields, inout Model) throws(ModelError) -> Void
  /// Adds the key to `config.json`.
  let write: (Model, inout JSON) -> Void

  /// A key with a rule of its own, or several keys with a common rule.
  init(
    _ names: [String], _ use: KeyUse = .computed,
    read: @escaping (Fields, inout Model) throws(ModelError) -> Void,
    write: @escaping (Model, inout JSON) -> Void
  ) {
    self.names = names
    self.use = use
    self.read = read
    self.write = write
  }

  /// The key `name` of `property`.
  init<Value>(
    _ name: String, _ property: WritableKeyPath<Model, Value>,
    read: @escaping (Fields, Model) throws(ModelError) -> Value,
    write: @escaping (Value) -> ConfigurationValue
  ) {
    self.init([name]) { fields, model throws(ModelError) in
      model[keyPath: property] = try read(fields, model)
    } write: { model, json in
      json[name] = write(model[keyPath: property])
    }
  }

  /// This key, written only for models that satisfy `condition`.
  func written(when condition: @escaping (Model) -> Bool) -> Self {
    Self(names, use, read: read) { model, json in
      if condition(model) { write(model, &json) }
    }.when(applies)
  }

  /// This key, whose `null` is refused, because its class has no such value.
  var notNull: Self {
    Self(names, use) { fields, model throws(ModelError) in
      for name in names where fields.states(name) && !fields.has(name) {
        throw .badConfiguration(
          path: fields.path,
          reason: "\(name) is null, where a value is needed; without the key it has its default")
      }
      try read(fields, &model)
    } write: { model, json in
      write(model, &json)
    }.when(applies)
  }

  /// This key, for models that satisfy `condition`.
  func when(_ condition: @escaping (Model) -> Bool) -> Self {
    var key = self
    key.applies = condition
    return key
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

  /// A size in 1…limit whose `null` means another value than its absence.
  static func size(
    _ name: String, _ property: WritableKeyPath<Model, Int>, atMost limit: Int,
    default fallback: @escaping (Model) -> Int, null: @escaping (Model) -> Int
  ) -> Self {
    Self(name, property) { fields, model throws(ModelError) in
      try fields.size(
        name, atMost: limit, default: fields.states(name) ? null(model) : fallback(model))
    } write: {
      .integer($0)
    }
  }

  /// A positive number.
  ///
  /// - Parameter isFloat: True where transformers refuses a number without a decimal point.
  static func positive(
    _ name: String, _ property: WritableKeyPath<Model, Float>, isFloat: Bool = true,
    default fallback: Double
  ) -> Self {
    Self(name, property) { fields, _ throws(ModelError) in
      Float(try fields.positive(name, default: fallback, isFloat: isFloat))
    } write: { value in
      isFloat ? .exact(value) : Int(exactly: value).map { .integer($0) } ?? .exact(value)
    }.notNull
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
    Self([name], .refused) { fields, _ throws(ModelError) in
      try fields.require(name, oneOf: names, default: names[0])
    } write: { _, json in
      json[name] = .text(names[0])
    }
  }

  /// A flag that has one value in Apus: the other is refused, and it is written.
  static func only(_ name: String, _ value: Bool) -> Self {
    Self([name], .refused) { fields, _ throws(ModelError) in
      try fields.require(name, value)
    } write: { _, json in
      json[name] = .flag(value)
    }
  }

  /// Features that Apus does not have: each is refused unless absent, null, false, empty or
  /// `neutral`; not written.
  static func unsupported(_ names: String..., except neutral: ConfigurationValue = .null) -> Self {
    Self(names, .refused) { fields, _ throws(ModelError) in
      for name in names where fields.values[name] != neutral { try fields.requireNothing(name) }
    } write: { _, _ in
    }
  }

  /// Keys that another part of the program reads.
  static func readElsewhere(
    _ names: String..., writing value: ((Model) -> ConfigurationValue)? = nil
  ) -> Self {
    Self(names) { _, _ throws(ModelError) in
    } write: { model, json in
      if let value { json[names[0]] = value(model) }
    }
  }

  /// Keys that are not read, with the reason.
  ///
  /// - Parameter value: The value that is written under each name, for other programs; nil for none.
  static func irrelevant(
    _ names: [String], because reason: String, writing value: ((Model) -> ConfigurationValue)? = nil
  ) -> Self {
    Self(names, .irrelevant(because: reason)) { _, _ throws(ModelError) in
    } write: { model, json in
      guard let value else { return }
      for name in names { json[name] = value(model) }
    }
  }
}

extension ConfigurationKey where Model: ModelConfiguration {
  /// A token id that is kept for other programs, also one outside the vocabulary; `null` for none.
  static func keptID(
    _ name: String, _ property: WritableKeyPath<Model, Int?>,
    default fallback: @escaping (Model) -> Int?
  ) -> Self {
    Self(name, property) { fields, model throws(ModelError) in
      guard fields.has(name) else { return fields.states(name) ? nil : fallback(model) }
      return try fields.count(name, atMost: Int(Int32.max), default: 0)
    } write: {
      $0.map { .integer($0) } ?? .null
    }
  }

  /// The padding id, 0 in a file without the key; nil for none.
  ///
  /// The vocabulary must be read before it.
  static func padding(_ property: WritableKeyPath<Model, Int?>) -> Self {
    Self(ConfigurationFields.paddingKey, property) { fields, model throws(ModelError) in
      try fields.padding(below: model.vocabulary, default: 0)
    } write: {
      $0.map { .integer($0) } ?? .null
    }
  }

  /// The ids that end a text: one, or a list.
  ///
  /// The vocabulary must be read before it.
  static func ends(
    _ property: WritableKeyPath<Model, [Int]>, default fallback: @escaping (Model) -> Int?
  ) -> Self {
    let name = "eos_token_id"
    return Self(name, property) { fields, model throws(ModelError) in
      try fields.ids(
        name, below: model.vocabulary, default: fallback(model).map { [$0] } ?? [])
    } write: { ids in
      ids.count > 1
        ? .list(ids.map { .integer($0) }) : ids.first.map { .integer($0) } ?? .null
    }
  }

  /// A token id; nil where the file has `null` or there is no default.
  ///
  /// The vocabulary must be read before it.
  static func id(
    _ name: String, _ property: WritableKeyPath<Model, Int?>,
    default fallback: @escaping (Model) -> Int?
  ) -> Self {
    Self(name, property) { fields, model throws(ModelError) in
      if !fields.has(name), fields.states(name) { return nil }
      guard fields.has(name) || fallback(model) != nil else { return nil }
      return try fields.id(name, below: model.vocabulary, default: fallback(model) ?? 0)
    } write: {
      $0.map { .integer($0) } ?? .null
    }
  }
}

extension ModelConfiguration {
  /// Reads the keys of a `config.json`.
  init(_ fields: ConfigurationFields) throws(ModelError) {
    self.init()
    let fields = try fields.renaming(Self.aliases)
    for key in Self.keys where key.applies(self) { try key.read(fields, &self) }
    try check()
  }

  /// Hugging Face's keys.
  package var json: [String: ConfigurationValue] {
    var json: [String: ConfigurationValue] = [:]
    for key in Self.keys where key.applies(self) { key.write(self, &json) }
    return json
  }

  /// The names and aliases of the keys that apply to this model.
  var knownKeys: Set<String> {
    Set(Self.keys.filter { $0.applies(self) }.flatMap(\.names)).union(Self.aliases.keys)
  }
}

extension ConfigurationValue {
  /// The number with the fewest digits that rounds to `value` in fp32.
  static func exact(_ value: Float) -> ConfigurationValue { .number(Double("\(value)") ?? 0) }
}
