extension TemplateParser {
  /// Attributes, subscripts and calls behind `value`.
  mutating func parsePostfix(_ value: Expression) throws(TemplateError) -> Expression {
    var value = value
    var chain = 0
    while true {
      let line = current.line
      if stands(".") || stands("[") {
        value = try parseSubscript(of: value)
      } else if stands("(") {
        value = .call(value, try parseArguments(), line: line)
      } else {
        return value
      }
      try extend(&chain)
    }
  }

  private mutating func parseSubscript(of value: Expression) throws(TemplateError) -> Expression {
    let line = current.line
    if skips(".") {
      if case .integer(let index) = current.kind {
        advance()
        return .item(value, .integer(index), line: line)
      }
      return .attribute(value, try expectName(), line: line)
    }
    return try nested { parser throws(TemplateError) in
      try parser.expect("[")
      var start: Expression?
      if !parser.stands(":") {
        start = try parser.parseExpression()
        if parser.stands(",") { throw parser.unsupported("a subscript of several values") }
        if let start, parser.skips("]") { return .item(value, start, line: line) }
      }
      try parser.expect(":")
      var bounds: [Expression?] = [nil, nil]
      for index in bounds.indices {
        if !parser.stands(":") && !parser.stands("]") {
          bounds[index] = try parser.parseExpression()
        }
        if index == 0 && !parser.skips(":") { break }
      }
      try parser.expect("]")
      return .slice(value, start: start, stop: bounds[0], step: bounds[1], line: line)
    }
  }

  /// Filters and tests behind `value`.
  ///
  /// - Parameter startsInline: Whether the first filter stands without its `|`.
  mutating func parseFilters(
    of value: Expression, startsInline: Bool = false
  ) throws(TemplateError) -> Expression {
    var value = value
    var isInline = startsInline
    var chain = 0
    while true {
      let line = current.line
      if isInline || stands("|") {
        if !isInline { advance() }
        value = try parseFilter(of: value, line: line)
      } else if stands(name: "is") {
        advance()
        value = try parseTest(of: value, line: line)
      } else if stands("(") {
        value = .call(value, try parseArguments(), line: line)
      } else {
        return value
      }
      isInline = false
      try extend(&chain)
    }
  }

  private mutating func parseFilter(
    of value: Expression, line: Int
  ) throws(TemplateError) -> Expression {
    let name = try expectName()
    let arguments = stands("(") ? try parseArguments() : CallArguments()
    guard Filters.names.contains(name) else {
      throw unsupported("the filter '\(name)'", line: line)
    }
    return .filter(value, name, arguments, line: line)
  }

  private mutating func parseTest(
    of value: Expression, line: Int
  ) throws(TemplateError) -> Expression {
    let isNegated = skips(name: "not")
    let name = try expectName()
    guard Tests.names.contains(name) else { throw unsupported("the test '\(name)'", line: line) }
    var arguments = CallArguments()
    if stands("(") {
      arguments = try parseArguments()
    } else if startsArgument {
      if stands(name: "is") { throw failure("tests cannot be chained with 'is'") }
      arguments.positional = [
        try nested { parser throws(TemplateError) in try parser.parseTestArgument() }
      ]
    }
    let test = Expression.test(value, name, arguments, line: line)
    return isNegated ? .not(test) : test
  }

  private var startsArgument: Bool {
    switch current.kind {
    case .name(let name): !["else", "or", "and"].contains(name)
    case .string, .integer, .real, .symbol("["), .symbol("{"): true
    default: false
    }
  }

  private mutating func parseTestArgument() throws(TemplateError) -> Expression {
    try parsePostfix(try parsePrimary())
  }
}
