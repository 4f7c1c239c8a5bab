/// The filters that a template can apply with `|`.
enum Filters {
  static let names: Set<String> = [
    "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e",
    "escape", "first", "float", "format", "groupby", "indent", "int", "items", "join", "last",
    "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse",
    "round", "safe", "select", "selectattr", "slice", "sort", "string", "sum", "title", "tojson",
    "trim", "truncate", "unique", "upper", "wordcount",
  ]
}

extension Renderer {
  func filter(
    _ base: Expression, _ name: String, _ written: CallArguments, _ line: Int
  ) throws(TemplateError) -> Value {
    let value = try evaluate(base)
    return try filter(value, name, try evaluate(written, line: line))
  }

  /// Applies the filter `name` to `value`.
  func filter(
    _ value: Value, _ name: String, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    switch name {
    case "default", "d":
      let values = try arguments.bound(to: ["default_value", "boolean"], of: name)
      let isMissing =
        undefinedClause(value) != nil || (values[1]?.isTrue ?? false) && !value.isTrue
      return isMissing ? values[0] ?? .text("") : value
    case "tojson": return try json(value, arguments)
    case "length", "count", "first", "last", "list", "reverse", "items", "sum", "join", "unique",
      "min", "max", "sort", "dictsort", "groupby", "batch", "slice":
      return try sequenceFilter(value, name, arguments)
    case "map", "select", "reject", "selectattr", "rejectattr":
      return try selectionFilter(value, name, arguments)
    case "abs", "int", "float", "round": return try numberFilter(value, name, arguments)
    case "attr":
      let name = try textArgument(try arguments.bound(to: ["name"], of: name)[0]).string
      guard case .dictionary(let entries) = value else { return try attribute(name, of: value) }
      // The attributes of a dictionary are its methods; its items are not attributes.
      let isItemOnly = entries[.text(name)] != nil && !Methods.ofDictionaries.contains(name)
      return isItemOnly
        ? .undefined("a dictionary has no attribute '\(name)'") : try attribute(name, of: value)
    default: return try textFilter(try text(of: value), name, arguments)
    }
  }

  private func json(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
    let values = try arguments.bound(
      to: ["ensure_ascii", "indent", "separators", "sort_keys"], of: "tojson")
    var indentation: String?
    switch values[1] {
    case nil, .some(.none): break
    case .text(let text)?: indentation = text.string
    case let width?:
      let width = try wholeArgument(width)
      guard width <= 100 else {
        throw failure("'tojson' indents by at most 100 spaces, not \(width)")
      }
      indentation = String(repeating: " ", count: max(0, width))
    }
    var separators: (item: Text, key: Text)?
    if let given = values[2] {
      if case .none = given {
      } else {
        let pair = try elements(of: given)
        guard pair.count == 2 else { throw failure("'tojson' needs two separators") }
        separators = (try textArgument(pair[0]), try textArgument(pair[1]))
      }
    }
    var writer = JSONWriter(
      renderer: self, indentation: indentation, separators: separators,
      sortsKeys: values[3]?.isTrue ?? false, escapesNonASCII: values[0]?.isTrue ?? false)
    try writer.write(value)
    return .text(writer.text)
  }

  private func numberFilter(
    _ value: Value, _ name: String, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    switch name {
    case "abs":
      guard let number = value.number else { throw failure("\(value.kind) has no absolute value") }
      if case .integer(let whole) = number {
        return try arithmetic(.integer(whole), .multiply, .integer(whole < 0 ? -1 : 1))
      }
      return .real(abs(number.double))
    case "float":
      let fallback = try arguments.bound(to: ["default"], of: name)[0] ?? .real(0)
      if let number = value.number { return .real(number.double) }
      guard case .text(let text) = value, let number = Double(text.stripped().string) else {
        return fallback
      }
      return .real(number)
    case "int":
      let values = try arguments.bound(to: ["default", "base"], of: name)
      let base = try wholeArgument(values[1], 10)
      guard (2...36).contains(base) else { throw unsupported("numbers to the base \(base)") }
      if let whole = value.wholeNumber { return .integer(whole) }
      var number: Double?
      if case .text(let text) = value {
        let digits = text.stripped().string
        if let whole = Int(digits, radix: base) { return .integer(whole) }
        number = Double(digits)
      } else {
        number = value.number?.double
      }
      guard let number, let whole = Int(exactly: number.rounded(.towardZero)) else {
        return values[0] ?? .integer(0)
      }
      return .integer(whole)
    default:
      let values = try arguments.bound(to: ["precision", "method"], of: name)
      let precision = try wholeArgument(values[0], 0)
      let method = try textArgument(values[1], Text("common")).string
      guard let number = value.number else { throw failure("\(value.kind) cannot be rounded") }
      return .real(try rounded(number.double, precision, method))
    }
  }

  private func rounded(
    _ number: Double, _ precision: Int, _ method: String
  ) throws(TemplateError) -> Double {
    guard (0...15).contains(precision) else { throw unsupported("a precision of \(precision)") }
    var scale = 1.0
    for _ in 0..<precision { scale *= 10 }
    switch method {
    // Python rounds ties to even.
    case "common": return (number * scale).rounded(.toNearestOrEven) / scale
    case "ceil": return (number * scale).rounded(.up) / scale
    case "floor": return (number * scale).rounded(.down) / scale
    default: throw failure("'round' accepts common, ceil and floor, not '\(method.prefix(20))'")
    }
  }
}
