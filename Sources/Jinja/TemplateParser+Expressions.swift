// Precedence from lowest to highest, as in jinja2:
// if-else, or, and, not, comparisons and `in`, + -, ~, * / // %, **, sign, filters and `is`.

extension TemplateParser {
  mutating func parseExpression(
    withConditional: Bool = true
  ) throws(TemplateError) -> Expression {
    try nested { parser throws(TemplateError) in
      withConditional ? try parser.parseConditional() : try parser.parseOr()
    }
  }

  private mutating func parseConditional() throws(TemplateError) -> Expression {
    var value = try parseOr()
    var chain = 0
    while accept(name: "if") {
      try extend(&chain)
      let test = try parseOr()
      let otherwise = accept(name: "else") ? try parseExpression() : nil
      value = .conditional(test: test, then: value, otherwise: otherwise)
    }
    return value
  }

  private mutating func parseOr() throws(TemplateError) -> Expression {
    var left = try parseAnd()
    var chain = 0
    while accept(name: "or") {
      try extend(&chain)
      left = .or(left, try parseAnd())
    }
    return left
  }

  private mutating func parseAnd() throws(TemplateError) -> Expression {
    var left = try parseNot()
    var chain = 0
    while accept(name: "and") {
      try extend(&chain)
      left = .and(left, try parseNot())
    }
    return left
  }

  private mutating func parseNot() throws(TemplateError) -> Expression {
    guard accept(name: "not") else { return try parseComparison() }
    return try nested { parser throws(TemplateError) in .not(try parser.parseNot()) }
  }

  private mutating func parseComparison() throws(TemplateError) -> Expression {
    let line = current.line
    let left = try parseSum()
    var comparisons: [(kind: ComparisonOperator, right: Expression)] = []
    var chain = 0
    while true {
      let comparison: ComparisonOperator
      if case .symbol(let symbol) = current.kind, let known = ComparisonOperator(rawValue: symbol) {
        comparison = known
      } else if isAt(name: "in") {
        comparison = .isIn
      } else if isAt(name: "not"), next.kind == .name("in") {
        comparison = .isNotIn
        advance()
      } else {
        return comparisons.isEmpty ? left : .comparison(left, comparisons, line: line)
      }
      advance()
      try extend(&chain)
      comparisons.append((comparison, try parseSum()))
    }
  }

  private mutating func parseArithmetic(
    _ operators: [ArithmeticOperator],
    _ operand: (inout TemplateParser) throws(TemplateError) -> Expression
  ) throws(TemplateError) -> Expression {
    var left = try operand(&self)
    var chain = 0
    while case .symbol(let symbol) = current.kind,
      let known = ArithmeticOperator(rawValue: symbol), operators.contains(known)
    {
      let line = current.line
      advance()
      try extend(&chain)
      left = .arithmetic(left, known, try operand(&self), line: line)
    }
    return left
  }

  private mutating func parseSum() throws(TemplateError) -> Expression {
    try parseArithmetic([.add, .subtract]) { parser throws(TemplateError) in
      try parser.parseConcatenation()
    }
  }

  private mutating func parseConcatenation() throws(TemplateError) -> Expression {
    let line = current.line
    var parts = [try parseProduct()]
    while accept("~") { parts.append(try parseProduct()) }
    return parts.count == 1 ? parts[0] : .concatenation(parts, line: line)
  }

  private mutating func parseProduct() throws(TemplateError) -> Expression {
    try parseArithmetic([.multiply, .divide, .floorDivide, .remainder]) {
      parser throws(TemplateError) in
      try parser.parseArithmetic([.power]) { parser throws(TemplateError) in
        try parser.parseUnary()
      }
    }
  }

  private mutating func parseUnary(withFilters: Bool = true) throws(TemplateError) -> Expression {
    let line = current.line
    var value: Expression
    if accept("-") {
      value = try nested { parser throws(TemplateError) in
        .negative(try parser.parseUnary(withFilters: false), line: line)
      }
    } else if accept("+") {
      value = try nested { parser throws(TemplateError) in
        .positive(try parser.parseUnary(withFilters: false), line: line)
      }
    } else {
      value = try parsePrimary()
    }
    value = try parsePostfix(value)
    return withFilters ? try parseFilters(of: value) : value
  }

  mutating func parsePrimary() throws(TemplateError) -> Expression {
    let token = current
    switch token.kind {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return .bool(true)
      case "false", "False": return .bool(false)
      case "none", "None": return .none
      default:
        namesInMacro?.insert(name)
        return .name(name)
      }
    case .string(let first):
      advance()
      var text = first
      while case .string(let more) = current.kind {
        text += more
        advance()
      }
      return .text(Text(text))
    case .integer(let value):
      advance()
      return .integer(value)
    case .real(let value):
      advance()
      return .real(value)
    case .symbol("("):
      advance()
      let value = try parseTuple(allowsEmpty: true)
      try expect(")")
      return value
    case .symbol("["): return try parseListLiteral()
    case .symbol("{"): return try parseDictionaryLiteral()
    default: throw unexpected("a value")
    }
  }

  /// Parses a tuple of expressions separated by commas, or a single expression without a comma.
  mutating func parseTuple(
    withConditional: Bool = true, endingAt names: [String] = [], allowsEmpty: Bool = false
  ) throws(TemplateError) -> Expression {
    var elements: [Expression] = []
    var isTuple = false
    while true {
      if !elements.isEmpty {
        guard accept(",") else { break }
        isTuple = true
      }
      if current.kind == .variableEnd || current.kind == .blockEnd || isAt(")")
        || names.contains(where: { isAt(name: $0) })
      {
        break
      }
      elements.append(try parseExpression(withConditional: withConditional))
    }
    if elements.count == 1, !isTuple { return elements[0] }
    guard !elements.isEmpty || allowsEmpty else { throw unexpected("an expression") }
    return .tuple(elements)
  }

  private mutating func parseListLiteral() throws(TemplateError) -> Expression {
    try expect("[")
    var elements: [Expression] = []
    try parseElements(upTo: "]") { parser throws(TemplateError) in
      elements.append(try parser.parseExpression())
    }
    return .list(elements)
  }

  private mutating func parseDictionaryLiteral() throws(TemplateError) -> Expression {
    try expect("{")
    var entries: [(key: Expression, value: Expression)] = []
    try parseElements(upTo: "}") { parser throws(TemplateError) in
      let key = try parser.parseExpression()
      try parser.expect(":")
      entries.append((key, try parser.parseExpression()))
    }
    return .dictionary(entries)
  }
}
