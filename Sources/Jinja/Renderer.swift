/// Renders one template once.
///
/// It is a class, so that macros and blocks write into the same output.
final class Renderer {
  let date: TemplateDate
  let limits: RenderingLimits
  var output = Text()
  /// Scope of the innermost block.
  var scope = Scope()
  /// Line of the template that is being evaluated, for error messages.
  var line = 1
  /// Output of the `filter` or `set` block whose filters are being evaluated.
  var captured = Value.none
  private var steps = 0
  private var depth = 0
  /// Scopes that macros hold.
  ///
  /// They are emptied at the end to break reference cycles: a macro is a variable of its own scope.
  private var heldScopes: [Scope] = []
  /// Number of enclosing loops.
  private var loopDepth = 0

  init(date: TemplateDate, limits: RenderingLimits) {
    self.date = date
    self.limits = limits
  }

  /// Runs `body` with `variables` and returns its output.
  func render(
    _ body: [Statement], _ variables: [(name: String, value: TemplateInput)]
  ) throws(TemplateError) -> Text {
    let globals = Scope()
    for name in Function.names { globals.variables[name] = .object(Function(name)) }
    for (name, input) in variables {
      globals.variables[name] = try located { () throws(ValueError) in try input.value() }
    }
    scope = Scope(parent: globals)
    defer { for scope in heldScopes { scope.variables = [:] } }
    _ = try run(body)
    return output
  }

  // MARK: Bounds and errors

  /// Returns an evaluation error at the current line.
  func failure(_ reason: String) -> TemplateError {
    TemplateError(line: line, .evaluation(reason))
  }

  func unsupported(_ construct: String) -> TemplateError {
    TemplateError(line: line, .unsupported(construct))
  }

  /// Runs `body` and adds the current line to its errors.
  func located<Result>(
    _ body: () throws(ValueError) -> Result
  ) throws(TemplateError) -> Result {
    do {
      return try body()
    } catch {
      throw TemplateError(line: line, error.cause)
    }
  }

  /// Counts one step, plus one for every eight of `count` characters or elements; throws beyond the
  /// limit.
  func spend(_ count: Int = 0) throws(TemplateError) {
    steps += 1 + count / 8
    guard steps <= limits.steps else {
      throw TemplateError(line: line, .exhausted("takes more than \(limits.steps) steps"))
    }
  }

  /// Throws when a string of `count` characters exceeds the limit; call it before creating the
  /// string.
  func checkSize(_ count: Int) throws(TemplateError) {
    guard count <= limits.characters else {
      throw TemplateError(
        line: line, .exhausted("builds a string of more than \(limits.characters) characters"))
    }
    try spend(count)
  }

  /// Runs a recursive step, and throws when the recursion is so deep that it could exhaust the
  /// stack.
  @inline(__always)
  func nested<Result>(
    _ body: () throws(TemplateError) -> Result
  ) throws(TemplateError) -> Result {
    depth += 1
    defer { depth -= 1 }
    guard depth <= RenderingLimits.renderingDepth else {
      throw TemplateError(line: line, .exhausted("nests or calls itself too deeply"))
    }
    try spend()
    return try body()
  }

  // MARK: Output

  func write(_ text: Text) throws(TemplateError) {
    try checkSize(output.count + text.count)
    // The earlier output was counted already.
    steps -= output.count / 8
    output += text
  }

  /// Runs `body` and returns what it writes, which does not go to the output.
  func capture(_ body: () throws(TemplateError) -> Void) throws(TemplateError) -> Text {
    let outside = output
    output = Text()
    defer { output = outside }
    try body()
    return output
  }

  // MARK: Blocks

  /// Runs `body` in a new scope inside `parent`, by default the current scope.
  func inScope<Result>(
    of parent: Scope? = nil, _ body: () throws(TemplateError) -> Result
  ) throws(TemplateError) -> Result {
    let outside = scope
    scope = Scope(parent: parent ?? outside)
    defer { scope = outside }
    return try body()
  }

  /// Returns the macro of `definition`, defined in the current scope.
  func macro(_ definition: MacroDefinition) -> Value {
    heldScopes.append(scope)
    return .object(Macro(definition, in: scope))
  }

  /// Runs the body of a loop for each of `elements`.
  func loop(
    _ definition: LoopDefinition, over elements: [Value]
  ) throws(TemplateError) {
    loopDepth += 1
    defer { loopDepth -= 1 }
    let state = LoopState(elements, depth: loopDepth)
    for (index, element) in elements.enumerated() {
      try spend()
      state.index = index
      let flow = try inScope { () throws(TemplateError) in
        try assign(element, to: definition.target)
        scope.variables["loop"] = .object(state)
        return try run(definition.body)
      }
      if flow == .breaks { break }
    }
  }
}
