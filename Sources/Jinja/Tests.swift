/// The tests that a template can apply with `is`.
enum Tests {
  static let names: Set<String> = [
    "defined", "undefined", "none", "true", "false", "boolean", "integer", "float", "number",
    "string", "mapping", "sequence", "iterable", "callable", "sameas", "in", "eq", "equalto", "==",
    "ne", "!=", "lt", "lessthan", "<", "le", "<=", "gt", "greaterthan", ">", "ge", ">=", "odd",
    "even", "divisibleby", "lower", "upper", "filter", "test",
  ]

  /// The comparison operators of the tests that compare, by test name.
  static let comparisons: [String: ComparisonOperator] = [
    "in": .isIn, "eq": .equal, "equalto": .equal, "==": .equal, "ne": .notEqual, "!=": .notEqual,
    "lt": .less, "lessthan": .less, "<": .less, "le": .lessOrEqual, "<=": .lessOrEqual,
    "gt": .greater, "greaterthan": .greater, ">": .greater, "ge": .greaterOrEqual,
    ">=": .greaterOrEqual,
  ]
}

extension Renderer {
  func test(
    _ base: Expression, _ name: String, _ written: CallArguments, _ line: Int
  ) throws(TemplateError) -> Value {
    let value = try evaluate(base)
    return .bool(try test(value, name, try evaluate(written, line: line)))
  }

  /// Returns the result of the test `name` on `value`.
  func test(
    _ value: Value, _ name: String, _ arguments: Arguments
  ) throws(TemplateError) -> Bool {
    if let comparison = Tests.comparisons[name] {
      let other = try arguments.bound(to: ["other"], of: name)[0]
      guard let other else { throw failure("'is \(name)' needs a value to compare with") }
      return try compare(value, comparison, other)
    }
    if name == "sameas" || name == "divisibleby" {
      let other = try arguments.bound(to: ["other"], of: name)[0]
      guard let other else { throw failure("'is \(name)' needs a value") }
      return name == "sameas" ? try isSame(value, other) : try whole(value, by: other) == 0
    }
    _ = try arguments.bound(to: [], of: name)
    switch name {
    case "defined": return undefinedClause(value) == nil
    case "undefined": return undefinedClause(value) != nil
    case "odd": return try whole(value, by: .integer(2)) == 1
    case "even": return try whole(value, by: .integer(2)) == 0
    case "filter": return value.text.map { Filters.names.contains($0.string) } ?? false
    case "test": return value.text.map { Tests.names.contains($0.string) } ?? false
    case "lower", "upper":
      let text = try text(of: value)
      return name == "lower" ? text.isLower : text.isUpper
    default: return isOfKind(value, name)
    }
  }

  private func isOfKind(_ value: Value, _ name: String) -> Bool {
    switch (name, value) {
    case ("none", .none), ("boolean", .bool), ("integer", .integer), ("float", .real),
      ("number", .bool), ("number", .integer), ("number", .real), ("string", .text),
      ("mapping", .dictionary), ("true", .bool(true)), ("false", .bool(false)):
      true
    case ("sequence", .text), ("sequence", .list), ("sequence", .tuple), ("sequence", .dictionary),
      ("sequence", .undefined), ("iterable", .text), ("iterable", .list), ("iterable", .tuple),
      ("iterable", .dictionary), ("iterable", .undefined):
      true
    case ("iterable", .object(let object)): object is GeneratorObject
    case ("callable", .object(let object)):
      object is Macro || object is Function || object is BoundMethod
    case ("callable", .undefined): true
    default: false
    }
  }

  /// Returns Python's `is` for values with an identity: none, booleans and objects.
  private func isSame(_ value: Value, _ other: Value) throws(TemplateError) -> Bool {
    switch (value, other) {
    case (.none, .none): return true
    case (.bool(let a), .bool(let b)): return a == b
    case (.object(let a), .object(let b)): return a === b
    case (.none, _), (_, .none), (.bool, _), (_, .bool), (.object, _), (_, .object): return false
    default: throw unsupported("'is sameas' with \(other.kind)")
    }
  }

  private func whole(_ value: Value, by divisor: Value) throws(TemplateError) -> Int {
    guard case .integer(let remainder) = try arithmetic(value, .remainder, divisor) else {
      throw failure("\(value.kind) is not an integer")
    }
    return remainder
  }
}
