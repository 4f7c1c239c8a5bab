/// A value of a variable that is passed to a template.
package indirect enum TemplateInput: Sendable {
  /// Python's None.
  case none
  case bool(Bool)
  case integer(Int)
  case real(Double)
  /// A string, with the origin of all its characters.
  case text(String, Origin)
  case list([TemplateInput])
  /// A dictionary, whose order is kept, with the origin of all characters of its keys.
  case dictionary([(key: String, value: TemplateInput)], Origin = .template)

  /// Returns the value that the template sees; throws when it nests too deeply.
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
    case .dictionary(let members, let origin):
      var entries = ValueDictionary()
      for (key, member) in members {
        try entries.set(.text(Text(key, origin: origin)), to: try member.value())
      }
      return .dictionary(entries)
    }
  }
}
