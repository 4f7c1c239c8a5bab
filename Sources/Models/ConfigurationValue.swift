import Foundation

/// A value in a model's `config.json`, decoded by Foundation, to which 768.0 is a whole number.
package enum ConfigurationValue: Sendable, Equatable, Codable {
  case flag(Bool)
  case integer(Int)
  /// A number with a fraction or an exponent.
  case number(Double)
  case text(String)
  case list([ConfigurationValue])
  case map([String: ConfigurationValue])
  case null

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .flag(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([ConfigurationValue].self) {
      self = .list(value)
    } else {
      self = .map(try container.decode([String: ConfigurationValue].self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .flag(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let value): try container.encode(value)
    case .map(let value): try container.encode(value)
    case .null: try container.encodeNil()
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
