extension Renderer {
  /// Returns the value of `expression`.
  ///
  /// Cases of more than a line have functions of their own: otherwise all their variables would be
  /// in the stack frame of this function, which recursion multiplies.
  func evaluate(_ expression: Expression) throws(TemplateError) -> Value {
    try nested { () throws(TemplateError) in
      switch expression {
      case .none: return .none
      case .bool(let value): return .bool(value)
      case .integer(let value): return .integer(value)
      case .real(let value): return .real(value)
      case .text(let text): return .text(text)
      case .name(let name): return scope.find(name) ?? .undefined("'\(name)' is undefined")
      case .captured: return captured
      case .list(let elements): return .list(try list(elements))
      case .tuple(let elements): return .tuple(try list(elements))
      case .dictionary(let entries): return try dictionary(entries)
      case .attribute(let base, let name, let line):
        let value = try evaluate(base)
        self.line = line
        return try attribute(name, of: value)
      case .item(let base, let key, let line): return try item(base, key, line)
      case .slice(let base, let start, let stop, let step, let line):
        return try slice(base, [start, stop, step], line)
      case .call: return try evaluate(expression, caller: nil)
      case .filter(let base, let name, let arguments, let line):
        return try filter(base, name, arguments, line)
      case .test(let base, let name, let arguments, let line):
        return try test(base, name, arguments, line)
      case .not(let value): return .bool(try !evaluate(value).isTrue)
      case .negative(let value, let line): return try signed(value, by: -1, line)
      case .positive(let value, let line): return try signed(value, by: 1, line)
      case .and(let left, let right):
        let value = try evaluate(left)
        return value.isTrue ? try evaluate(right) : value
      case .or(let left, let right):
        let value = try evaluate(left)
        return value.isTrue ? value : try evaluate(right)
      case .arithmetic(let left, let operation, let right, let line):
        return try arithmetic(left, operation, right, line)
      case .concatenation(let parts, let line): return try concatenation(parts, line)
      case .comparison(let left, let comparisons, let line):
        return try comparison(left, comparisons, line)
      case .conditional(let test, let value, let otherwise):
        if try evaluate(test).isTrue { return try evaluate(value) }
        return try otherwise.map { other throws(TemplateError) in try evaluate(other) }
          ?? .undefined("the inline 'if' is false and has no 'else'")
      }
    }
  }

  private func list(_ expressions: [Expression]) throws(TemplateError) -> ValueList {
    var values: [Value] = []
    for expression in expressions { values.append(try evaluate(expression)) }
    return try located { () throws(ValueError) in try ValueList(values) }
  }

  private func dictionary(
    _ entries: [(key: Expression, value: Expression)]
  ) throws(TemplateError) -> Value {
    var result = ValueDictionary()
    for (key, value) in entries {
      let (key, value) = (try evaluate(key), try evaluate(value))
      try spend(result.entries.count)
      try located { () throws(ValueError) in try result.set(key, to: value) }
    }
    return .dictionary(result)
  }

  private func signed(
    _ expression: Expression, by sign: Int, _ line: Int
  ) throws(TemplateError) -> Value {
    let value = try evaluate(expression)
    self.line = line
    switch value.number {
    case .integer(let number):
      let (result, overflows) = number.multipliedReportingOverflow(by: sign)
      if overflows { throw unsupported("integers beyond 64 bits") }
      return .integer(result)
    case .real(let number): return .real(sign < 0 ? -number : number)
    case nil: throw failure(undefinedClause(value) ?? "\(value.kind) has no sign")
    }
  }

  private func arithmetic(
    _ left: Expression, _ operation: ArithmeticOperator, _ right: Expression, _ line: Int
  ) throws(TemplateError) -> Value {
    let (left, right) = (try evaluate(left), try evaluate(right))
    self.line = line
    return try arithmetic(left, operation, right)
  }

  private func concatenation(
    _ parts: [Expression], _ line: Int
  ) throws(TemplateError) -> Value {
    var result = Text()
    for part in parts {
      let value = try evaluate(part)
      self.line = line
      let text = try text(of: value)
      try checkSize(result.count + text.count)
      result += text
    }
    return .text(result)
  }

  private func comparison(
    _ left: Expression, _ comparisons: [(kind: ComparisonOperator, right: Expression)],
    _ line: Int
  ) throws(TemplateError) -> Value {
    var left = try evaluate(left)
    for (comparison, expression) in comparisons {
      let right = try evaluate(expression)
      self.line = line
      guard try compare(left, comparison, right) else { return .bool(false) }
      left = right
    }
    return .bool(true)
  }

  /// Returns the result of `left` `comparison` `right`.
  func compare(
    _ left: Value, _ comparison: ComparisonOperator, _ right: Value
  ) throws(TemplateError) -> Bool {
    let isSearch = comparison == .isIn || comparison == .isNotIn
    let (own, other) = (left.weight(upTo: limits.steps), right.weight(upTo: limits.steps))
    // A search compares the element at every position.
    let cost = isSearch ? Double(own) * Double(other) : Double(min(own, other))
    try spend(8 * Int(min(cost, Double(limits.steps))))
    return try located { () throws(ValueError) in
      switch comparison {
      case .equal: left == right
      case .notEqual: !(left == right)
      case .less: try Value.precedes(left, right)
      case .lessOrEqual: try Value.precedes(left, right) || left == right
      case .greater: try Value.precedes(right, left)
      case .greaterOrEqual: try Value.precedes(right, left) || left == right
      case .isIn: try right.contains(left)
      case .isNotIn: try !right.contains(left)
      }
    }
  }

  /// Returns the reason why `value` is undefined; nil when it is defined.
  func undefinedClause(_ value: Value) -> String? {
    if case .undefined(let clause) = value { clause } else { nil }
  }
}
