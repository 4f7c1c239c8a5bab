/// The resolved value of a key.
enum ResolvedValue: Sendable, Equatable {
  case absent
  case integer(Int)
  case number(Double)
  case boolean(Bool)
  case text(String)
  case list([ResolvedValue])
  case textMap([String: String])

  /// The value as one line of YAML, which reads back as the same value.
  var yaml: String {
    switch self {
    case .absent: "null"
    case .integer(let value): String(value)
    case .number(let value): value.yaml
    case .boolean(let value): String(value)
    case .text(let text): YAMLText.scalar(text)
    case .list(let values): "[" + values.map(\.yaml).joined(separator: ", ") + "]"
    case .textMap(let texts):
      "{"
        + texts.sorted { $0.key < $1.key }
        .map { "\(YAMLText.scalar($0)): \(YAMLText.scalar($1))" }.joined(separator: ", ") + "}"
    }
  }
}

extension Double {
  /// The shortest digits that read back as the number, without a fraction of zero: 1, 0.001, 1e-05.
  var yaml: String {
    let text = description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
