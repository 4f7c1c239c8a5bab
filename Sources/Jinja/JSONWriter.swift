import Files

/// Writes values as Python's `json.dumps` does; the characters of strings keep their origin.
struct JSONWriter {
  let renderer: Renderer
  /// Indentation of one level; nil writes everything on one line.
  let indentation: String?
  let itemSeparator: Text
  let keySeparator: Text
  let sortsKeys: Bool
  let escapesNonASCII: Bool
  private(set) var text = Text()

  init(
    renderer: Renderer, indentation: String?, separators: (item: Text, key: Text)?,
    sortsKeys: Bool, escapesNonASCII: Bool
  ) {
    self.renderer = renderer
    self.indentation = indentation
    itemSeparator = separators?.item ?? Text(indentation == nil ? ", " : ",")
    keySeparator = separators?.key ?? Text(": ")
    self.sortsKeys = sortsKeys
    self.escapesNonASCII = escapesNonASCII
  }

  mutating func write(_ value: Value, level: Int = 0) throws(TemplateError) {
    try renderer.checkSize(0)
    switch value {
    case .none: text += Text("null")
    case .bool(let value): text += Text(value ? "true" : "false")
    case .integer(let value): text += Text("\(value)")
    case .real(let value): text += Self.real(value)
    case .text(let value): try write(quoted: value)
    case .list(let list), .tuple(let list):
      try write(list.elements, between: ("[", "]"), level) {
        writer, element throws(TemplateError) in
        try writer.write(element, level: level + 1)
      }
    case .dictionary(let entries):
      try write(try members(of: entries), between: ("{", "}"), level) {
        writer, member throws(TemplateError) in
        try writer.write(quoted: member.key)
        writer.text += writer.keySeparator
        try writer.write(member.value, level: level + 1)
      }
    case .undefined(let clause):
      throw renderer.failure("\(clause), so it cannot be written as JSON")
    case .object(let object): throw renderer.failure("\(object.kind) cannot be written as JSON")
    }
    if text.count > renderer.limits.characters { try renderer.checkSize(text.count) }
  }

  private static func real(_ value: Double) -> Text {
    if value.isNaN { return Text("NaN") }
    return Text(value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "\(value)")
  }

  private func members(
    of entries: ValueDictionary
  ) throws(TemplateError) -> [(key: Text, value: Value)] {
    var members: [(key: Text, value: Value)] = []
    for entry in entries.entries {
      let (key, value) = (entry.key, entry.value)
      switch key {
      case .text(let text): members.append((text, value))
      case .none: members.append((Text("null"), value))
      case .bool(let flag): members.append((Text(flag ? "true" : "false"), value))
      case .integer(let number): members.append((Text("\(number)"), value))
      case .real(let number): members.append((Self.real(number), value))
      default: throw renderer.failure("\(key.kind) cannot be a key in JSON")
      }
    }
    return sortsKeys ? members.sorted { $0.key < $1.key } : members
  }

  private mutating func write<Element>(
    _ elements: [Element], between brackets: (String, String), _ level: Int,
    _ write: (inout JSONWriter, Element) throws(TemplateError) -> Void
  ) throws(TemplateError) {
    text += Text(brackets.0)
    for (index, element) in elements.enumerated() {
      if index > 0 { text += itemSeparator }
      indent(level + 1)
      try write(&self, element)
    }
    if !elements.isEmpty { indent(level) }
    text += Text(brackets.1)
  }

  private mutating func indent(_ level: Int) {
    guard let indentation else { return }
    text += Text("\n" + String(repeating: indentation, count: level))
  }

  private mutating func write(quoted value: Text) throws(TemplateError) {
    try renderer.spend(8 * value.count)
    text += Text("\"")
    text += value.mapped(escape)
    text += Text("\"")
  }

  private func escape(_ scalar: Unicode.Scalar) -> String? {
    if let escape = scalar.jsonEscape { return escape }
    guard escapesNonASCII, !scalar.isASCII else { return nil }
    return scalar.utf16.map(\.jsonEscape).joined()
  }
}
