import Files

/// A value in a model's `config.json`, in which 768.0 is a whole number.
package enum ConfigurationValue: Sendable, Equatable {
  case flag(Bool)
  case integer(Int)
  /// A number with a decimal point, or one beyond 64-bit integers.
  case number(Double)
  case text(String)
  case list([ConfigurationValue])
  case map([String: ConfigurationValue])
  case null

  init(_ json: JSONValue) {
    switch json {
    case .null: self = .null
    case .bool(let value): self = .flag(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .number(value)
    case .string(let value): self = .text(value)
    case .array(let values): self = .list(values.map { ConfigurationValue($0) })
    case .object(let members):
      let pairs = members.map { ($0.key, ConfigurationValue($0.value)) }
      // Of canonically equivalent keys, none of which has a meaning, the first stays.
      self = .map(Dictionary(pairs) { first, _ in first })
    }
  }
}

extension ConfigurationValue {
  /// The value in a file.
  ///
  /// A number keeps its decimal point, because transformers refuses `1` where a class has a float.
  var json: JSONValue {
    switch self {
    case .flag(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .text(let value): .string(value)
    case .list(let values): .array(values.map(\.json))
    case .map(let values):
      .object(values.sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) })
    case .null: .null
    }
  }
}

extension ConfigurationValue {
  /// The value as text, for messages.
  package var text: String {
    switch self {
    case .flag(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): value
    case .list(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
    case .map(let values):
      "{"
        + values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.text)" }
        .joined(separator: ", ") + "}"
    case .null: "absent"
    }
  }
}
