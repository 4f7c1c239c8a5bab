extension TemplateParser {
  mutating func parseMacro(_ line: Int) throws(TemplateError) -> Statement {
    let name = try expectName()
    let parameters = try parseParameters()
    return .macro(
      try parseDefinition(name, parameters, endingWith: "endmacro", line: line))
  }

  mutating func parseCallBlock(_ line: Int) throws(TemplateError) -> Statement {
    let parameters = isAt("(") ? try parseParameters() : []
    let call = try parseExpression()
    guard case .call = call else { throw unexpected("a call") }
    let caller = try parseDefinition("caller", parameters, endingWith: "endcall", line: line)
    return .callBlock(call, caller: caller, line: line)
  }

  private mutating func parseDefinition(
    _ name: String, _ parameters: [(name: String, value: Expression?)],
    endingWith end: String, line: Int
  ) throws(TemplateError) -> MacroDefinition {
    let outside = (namesInMacro, isInLoop)
    (namesInMacro, isInLoop) = ([], false)
    let body = try parseBlock(endingWith: end)
    let names = namesInMacro ?? []
    (namesInMacro, isInLoop) = outside
    return MacroDefinition(
      name: name, parameters: parameters, body: body, line: line,
      acceptsVarargs: names.contains("varargs"), acceptsKwargs: names.contains("kwargs"))
  }

  private typealias Parameters = [(name: String, value: Expression?)]

  private mutating func parseParameters() throws(TemplateError) -> Parameters {
    var parameters: Parameters = []
    try expect("(")
    while !isAt(")") {
      if !parameters.isEmpty { try expect(",") }
      let name = try expectName()
      if accept("=") {
        parameters.append((name, try parseExpression()))
      } else {
        if parameters.last?.value != nil {
          throw failure("the parameter '\(name)' needs a default value, like the one before it")
        }
        parameters.append((name, nil))
      }
    }
    try expect(")")
    return parameters
  }

  /// Parses the arguments of a call, from its opening bracket.
  mutating func parseArguments() throws(TemplateError) -> CallArguments {
    try nested { parser throws(TemplateError) in
      var arguments = CallArguments()
      try parser.expect("(")
      try parser.parseElements(upTo: ")") { parser throws(TemplateError) in
        let line = parser.current.line
        let bad = TemplateError(line: line, .syntax("the arguments of a call are out of order"))
        if parser.accept("*") {
          guard arguments.spread == nil, arguments.spreadKeywords == nil else { throw bad }
          arguments.spread = try parser.parseExpression()
        } else if parser.accept("**") {
          guard arguments.spreadKeywords == nil else { throw bad }
          arguments.spreadKeywords = try parser.parseExpression()
        } else if case .name(let name) = parser.current.kind, parser.next.kind == .symbol("=") {
          guard arguments.spreadKeywords == nil else { throw bad }
          parser.advance()
          parser.advance()
          if arguments.keywords.contains(where: { $0.name == name }) {
            throw TemplateError(line: line, .syntax("the argument '\(name)' is given twice"))
          }
          arguments.keywords.append((name, try parser.parseExpression()))
        } else {
          guard arguments.keywords.isEmpty, arguments.spread == nil,
            arguments.spreadKeywords == nil
          else { throw bad }
          arguments.positional.append(try parser.parseExpression())
        }
      }
      return arguments
    }
  }
}
