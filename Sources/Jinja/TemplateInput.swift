/// A value that a template is given.
public indirect enum TemplateInput: Sendable {
  /// Python's None.
  case none
  /// True or false.
  case bool(Bool)
  /// A whole number.
  case integer(Int)
  /// A number.
  case real(Double)
  /// A text, of whose characters each has the origin.
  case text(String, Origin)
  /// A list.
  case list([TemplateInput])
  /// A dictionary, in its order.
  case dictionary([(key: String, value: TemplateInput)])

  /// The value within the template.
  func value() throws(ValueError) -> Value {
    switch self {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .real(let value): return .real(value)
    case .text(let string, let origin): return .text(Text(string, origin: origin))
    case .list(let elements):
      var values: [Value] = []
      for element in elements { values.append(try element.value()) }
      return .list(try ValueList(values))
    case .dictionary(let members):
      var entries = ValueDictionary()
      for (key, member) in members {
        try entries.set(.text(Text(key)), to: try member.value())
      }
      return .dictionary(entries)
    }
  }
}
