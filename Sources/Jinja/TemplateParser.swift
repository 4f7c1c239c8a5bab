/// Parses tokens to statements and expressions by jinja2's grammar.
struct TemplateParser {
  private let tokens: [Token]
  private var position = 0
  private var depth = 0
  /// Names that occur in the body of the current macro; nil outside macros.
  var namesInMacro: Set<String>?
  /// True inside a `for` of the current macro.
  var isInLoop = false
  var marksGeneration = false

  init(_ source: String) throws(TemplateError) {
    tokens = try Lexer.tokens(of: source)
  }

  // MARK: Tokens

  var current: Token { tokens[min(position, tokens.count - 1)] }

  var next: Token { tokens[min(position + 1, tokens.count - 1)] }

  mutating func advance() {
    position += 1
  }

  func isAt(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }

  func isAt(name: String) -> Bool { current.kind == .name(name) }

  mutating func accept(_ symbol: String) -> Bool {
    guard isAt(symbol) else { return false }
    advance()
    return true
  }

  mutating func accept(name: String) -> Bool {
    guard isAt(name: name) else { return false }
    advance()
    return true
  }

  /// Reads elements with commas between them up to `end`; a comma may follow the last.
  mutating func parseElements(
    upTo end: String, _ parseElement: (inout TemplateParser) throws(TemplateError) -> Void
  ) throws(TemplateError) {
    var isFirst = true
    while !isAt(end) {
      if !isFirst {
        try expect(",")
        if isAt(end) { break }
      }
      isFirst = false
      try parseElement(&self)
    }
    try expect(end)
  }

  mutating func expect(_ symbol: String) throws(TemplateError) {
    guard accept(symbol) else { throw unexpected("'\(symbol)'") }
  }

  mutating func expectName() throws(TemplateError) -> String {
    guard case .name(let name) = current.kind else { throw unexpected("a name") }
    advance()
    return name
  }

  mutating func expectBlockEnd() throws(TemplateError) {
    guard current.kind == .blockEnd else { throw unexpected("'%}'") }
    advance()
  }

  func failure(_ reason: String) -> TemplateError {
    TemplateError(line: current.line, .syntax(reason))
  }

  func unsupported(_ construct: String, line: Int? = nil) -> TemplateError {
    TemplateError(line: line ?? current.line, .unsupported(construct))
  }

  func unexpected(_ expected: String) -> TemplateError {
    failure("\(expected) is expected before \(current.description)")
  }

  /// Runs a recursive parsing step; throws beyond the nesting limit.
  mutating func nested<Result>(
    _ read: (inout TemplateParser) throws(TemplateError) -> Result
  ) throws(TemplateError) -> Result {
    depth += 1
    guard depth <= RenderingLimits.sourceDepth else {
      throw TemplateError(line: current.line, .exhausted("nests too deeply"))
    }
    defer { depth -= 1 }
    return try read(&self)
  }

  /// Counts one more operator of a chain; throws beyond the limit.
  func extend(_ chain: inout Int) throws(TemplateError) {
    chain += 1
    guard chain <= RenderingLimits.chainLength else {
      throw TemplateError(line: current.line, .exhausted("chains too many operators"))
    }
  }

  // MARK: Statements

  mutating func parseTemplate() throws(TemplateError) -> [Statement] {
    let body = try parseBody(until: [])
    guard current.kind == .end else { throw unexpected("a tag") }
    return body
  }

  /// Parses statements up to a tag that begins with one of `names`, which is not consumed.
  ///
  /// Without names it parses to the end of the template.
  mutating func parseBody(until names: Set<String>) throws(TemplateError) -> [Statement] {
    try nested { parser throws(TemplateError) in
      var body: [Statement] = []
      while true {
        let token = parser.current
        parser.advance()
        switch token.kind {
        case .data(let scalars): body.append(.text(Text(scalars.map { Letter($0) })))
        case .variableBegin:
          body.append(.output(try parser.parseTuple(), line: token.line))
          guard parser.current.kind == .variableEnd else { throw parser.unexpected("'}}'") }
          parser.advance()
        case .blockBegin:
          if case .name(let name) = parser.current.kind, names.contains(name) { return body }
          body.append(try parser.parseTag())
        case .end:
          parser.position -= 1
          guard names.isEmpty else {
            let ends = names.sorted().map { "'\($0)'" }.joined(separator: " or ")
            throw parser.failure("the template ends before \(ends)")
          }
          return body
        default: throw parser.failure("\(token.description) is not allowed here")
        }
      }
    }
  }

  /// Parses a block from `%}` up to and including its `{% end… %}`.
  mutating func parseBlock(endingWith name: String) throws(TemplateError) -> [Statement] {
    try expectBlockEnd()
    let body = try parseBody(until: [name])
    advance()
    // The name of a macro may follow `endmacro`.
    if name == "endmacro", case .name = current.kind { advance() }
    try expectBlockEnd()
    return body
  }

  private mutating func parseTag() throws(TemplateError) -> Statement {
    let line = current.line
    let tag = try expectName()
    switch tag {
    case "if": return try parseIf()
    case "for": return try parseFor(line)
    case "set": return try parseSet(line)
    case "macro": return try parseMacro(line)
    case "call": return try parseCallBlock(line)
    case "filter":
      let filter = try parseFilters(of: .captured, startsInline: true)
      return .filterBlock(filter, body: try parseBlock(endingWith: "endfilter"), line: line)
    case "with": return try parseWith(line)
    case "print":
      let value = try parseTuple()
      try expectBlockEnd()
      return .output(value, line: line)
    case "generation":
      marksGeneration = true
      let outside = isInLoop
      isInLoop = false
      defer { isInLoop = outside }
      return .generation(try parseBlock(endingWith: "endgeneration"))
    case "break", "continue":
      guard isInLoop else {
        throw TemplateError(line: line, .syntax("'\(tag)' is outside a loop"))
      }
      try expectBlockEnd()
      return tag == "break" ? .breakLoop : .continueLoop
    case "else", "elif":
      throw TemplateError(line: line, .syntax("'\(tag)' is outside 'if' and 'for'"))
    case _ where tag.hasPrefix("end"):
      throw TemplateError(line: line, .syntax("'\(tag)' closes no open block"))
    default: throw unsupported("the tag '\(tag)'", line: line)
    }
  }

  private mutating func parseIf() throws(TemplateError) -> Statement {
    var branches: [(test: Expression, body: [Statement])] = []
    while true {
      let test = try parseTuple(withConditional: false)
      try expectBlockEnd()
      branches.append((test, try parseBody(until: ["elif", "else", "endif"])))
      if accept(name: "elif") { continue }
      return .conditional(branches, otherwise: try parseElse(endingWith: "endif"))
    }
  }

  /// Reads the end of a block, after its `else` with the statements that follow if there is one.
  private mutating func parseElse(endingWith end: String) throws(TemplateError) -> [Statement] {
    if accept(name: "else") { return try parseBlock(endingWith: end) }
    advance()
    try expectBlockEnd()
    return []
  }

  private mutating func parseFor(_ line: Int) throws(TemplateError) -> Statement {
    let target = try parseTarget()
    guard accept(name: "in") else { throw unexpected("'in'") }
    let elements = try parseTuple(withConditional: false, endingAt: ["recursive"])
    let filter = accept(name: "if") ? try parseExpression() : nil
    if isAt(name: "recursive") { throw unsupported("a recursive for loop", line: line) }
    try expectBlockEnd()
    let outside = isInLoop
    isInLoop = true
    let body = try parseBody(until: ["else", "endfor"])
    isInLoop = outside
    return .loop(
      LoopDefinition(
        target: target, elements: elements, filter: filter, body: body,
        otherwise: try parseElse(endingWith: "endfor"), line: line))
  }

  private mutating func parseSet(_ line: Int) throws(TemplateError) -> Statement {
    let target = try parseTarget(allowsAttribute: true)
    if accept("=") {
      let value = try parseTuple()
      try expectBlockEnd()
      return .set(target, value, line: line)
    }
    let filter = isAt("|") ? try parseFilters(of: .captured) : nil
    return .setBlock(
      target, filter: filter, body: try parseBlock(endingWith: "endset"), line: line)
  }

  private mutating func parseWith(_ line: Int) throws(TemplateError) -> Statement {
    var values: [(target: AssignmentTarget, value: Expression)] = []
    while current.kind != .blockEnd {
      if !values.isEmpty { try expect(",") }
      let target = try parseTarget()
      try expect("=")
      values.append((target, try parseExpression()))
    }
    return .with(values, body: try parseBlock(endingWith: "endwith"), line: line)
  }

  /// Parses one name, a tuple of names, or, for `set`, an attribute of a namespace.
  private mutating func parseTarget(
    allowsAttribute: Bool = false
  ) throws(TemplateError) -> AssignmentTarget {
    var targets: [AssignmentTarget] = []
    while true {
      if accept("(") {
        targets.append(
          try nested { parser throws(TemplateError) in try parser.parseTarget() })
        try expect(")")
      } else {
        let name = try expectName()
        if ["true", "false", "none", "True", "False", "None"].contains(name) {
          throw failure("'\(name)' cannot be set")
        }
        if allowsAttribute, targets.isEmpty, accept(".") {
          return .attribute(name, try expectName())
        }
        targets.append(.name(name))
      }
      guard accept(",") else { return targets.count == 1 ? targets[0] : .tuple(targets) }
      if isAt(name: "in") || isAt("=") || isAt(")") { return .tuple(targets) }
    }
  }
}
