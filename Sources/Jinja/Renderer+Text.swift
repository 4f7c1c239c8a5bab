import Files

extension Renderer {
  /// Returns Python's `str` of `value`; empty for an undefined value.
  func text(of value: Value) throws(TemplateError) -> Text {
    switch value {
    case .text(let text): return text
    case .undefined: return Text()
    default:
      var text = Text()
      try represent(value, in: &text)
      return text
    }
  }

  /// Appends Python's `repr` of `value`.
  private func represent(_ value: Value, in text: inout Text) throws(TemplateError) {
    try checkSize(0)
    switch value {
    case .undefined: text += Text("Undefined")
    case .none: text += Text("None")
    case .bool(let value): text += Text(value ? "True" : "False")
    case .integer(let value): text += Text("\(value)")
    case .real(let value): text += Text("\(value)")
    case .text(let value) where value.isSafe:
      throw unsupported("a list with a safe string as output")
    case .text(let value): try quote(value, in: &text)
    case .list(let list): try represent(list.elements, between: ("[", "]"), in: &text)
    case .tuple(let list):
      let end = list.elements.count == 1 ? ",)" : ")"
      try represent(list.elements, between: ("(", end), in: &text)
    case .dictionary(let entries):
      text += Text("{")
      for (index, entry) in entries.entries.enumerated() {
        if index > 0 { text += Text(", ") }
        try represent(entry.key, in: &text)
        text += Text(": ")
        try represent(entry.value, in: &text)
      }
      text += Text("}")
    case .object(let object): throw unsupported("\(object.kind) as output")
    }
    guard text.count <= limits.characters else { return try checkSize(text.count) }
  }

  private func represent(
    _ elements: [Value], between brackets: (String, String), in text: inout Text
  ) throws(TemplateError) {
    text += Text(brackets.0)
    for (index, element) in elements.enumerated() {
      if index > 0 { text += Text(", ") }
      try represent(element, in: &text)
    }
    text += Text(brackets.1)
  }

  /// Appends Python's `repr` of a string.
  ///
  /// The quotation marks are single, unless the string has single ones and no double ones.
  private func quote(_ value: Text, in text: inout Text) throws(TemplateError) {
    try spend(8 * value.count)
    let hasSingle = value.letters.contains { $0.value == 0x27 }
    let hasDouble = value.letters.contains { $0.value == 0x22 }
    let mark: Unicode.Scalar = hasSingle && !hasDouble ? "\"" : "'"
    text.letters.append(Letter(mark))
    text += value.mapped { scalar in
      switch scalar {
      case "\\": "\\\\"
      case mark: "\\\(mark)"
      case "\n": "\\n"
      case "\r": "\\r"
      case "\t": "\\t"
      default: scalar.isPythonPrintable ? nil : Self.escape(scalar)
      }
    }
    text.letters.append(Letter(mark))
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    let (mark, width) =
      scalar.value <= 0xFF ? ("x", 2) : scalar.value <= 0xFFFF ? ("u", 4) : ("U", 8)
    return "\\" + mark + scalar.value.hexadecimal(width: width)
  }
}
