extension TemplateParser {
  /// Parses the attributes, subscripts and calls after `value`.
  mutating func parsePostfix(_ value: Expression) throws(TemplateError) -> Expression {
    var value = value
    var chain = 0
    while true {
      let line = current.line
      if isAt(".") || isAt("[") {
        value = try parseSubscript(of: value)
      } else if isAt("(") {
        value = .call(value, try parseArguments(), line: line)
      } else {
        return value
      }
      try extend(&chain)
    }
  }

  private mutating func parseSubscript(of value: Expression) throws(TemplateError) -> Expression {
    let line = current.line
    if accept(".") {
      if case .integer(let index) = current.kind {
        advance()
        return .item(value, .integer(index), line: line)
      }
      return .attribute(value, try expectName(), line: line)
    }
    return try nested { parser throws(TemplateError) in
      try parser.expect("[")
      var start: Expression?
      if !parser.isAt(":") {
        start = try parser.parseExpression()
        if parser.isAt(",") { throw parser.unsupported("a subscript of several values") }
        if let start, parser.accept("]") { return .item(value, start, line: line) }
      }
      try parser.expect(":")
      var bounds: [Expression?] = [nil, nil]
      for index in bounds.indices {
        if !parser.isAt(":") && !parser.isAt("]") {
          bounds[index] = try parser.parseExpression()
        }
        if index == 0 && !parser.accept(":") { break }
      }
      try parser.expect("]")
      return .slice(value, start: start, stop: bounds[0], step: bounds[1], line: line)
    }
  }

  /// Parses the filters and tests after `value`.
  ///
  /// - Parameter startsInline: True when the first filter has no `|` before it.
  mutating func parseFilters(
    of value: Expression, startsInline: Bool = false
  ) throws(TemplateError) -> Expression {
    var value = value
    var isInline = startsInline
    var chain = 0
    while true {
      let line = current.line
      if isInline || isAt("|") {
        if !isInline { advance() }
        value = try parseFilter(of: value, line: line)
      } else if isAt(name: "is") {
        advance()
        value = try parseTest(of: value, line: line)
      } else if isAt("(") {
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
    let arguments = isAt("(") ? try parseArguments() : CallArguments()
    guard Filters.names.contains(name) else {
      throw unsupported("the filter '\(name)'", line: line)
    }
    return .filter(value, name, arguments, line: line)
  }

  private mutating func parseTest(
    of value: Expression, line: Int
  ) throws(TemplateError) -> Expression {
    let isNegated = accept(name: "not")
    let name = try expectName()
    guard Tests.names.contains(name) else { throw unsupported("the test '\(name)'", line: line) }
    var arguments = CallArguments()
    if isAt("(") {
      arguments = try parseArguments()
    } else if startsArgument {
      if isAt(name: "is") { throw failure("tests cannot be chained with 'is'") }
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
