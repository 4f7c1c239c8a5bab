/// Evaluates one template once.
///
/// A class, so that macros and blocks write into one output; it lives as long as one rendering.
final class Renderer {
  let date: TemplateDate
  let limits: RenderingLimits
  var output = Text()
  /// The innermost block.
  var scope = Scope()
  /// The line that is evaluated, for sentences.
  var line = 1
  /// What the block before a filter wrote.
  var captured = Value.none
  private var steps = 0
  private var depth = 0
  /// Scopes that macros hold: emptied at the end, since a macro is a variable of its own scope.
  private var heldScopes: [Scope] = []
  /// Loops around what is evaluated.
  private var loopDepth = 0

  init(date: TemplateDate, limits: RenderingLimits) {
    self.date = date
    self.limits = limits
  }

  /// What `body` writes.
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

  /// The error of `cause` at the line that is evaluated.
  func failure(_ reason: String) -> TemplateError {
    TemplateError(line: line, .evaluation(reason))
  }

  func unsupported(_ construct: String) -> TemplateError {
    TemplateError(line: line, .unsupported(construct))
  }

  /// Runs `body`, whose errors get the line that is evaluated.
  func located<Result>(
    _ body: () throws(ValueError) -> Result
  ) throws(TemplateError) -> Result {
    do {
      return try body()
    } catch {
      throw TemplateError(line: line, error.cause)
    }
  }

  /// Counts one step, and those of `count` characters or elements.
  func spend(_ count: Int = 0) throws(TemplateError) {
    steps += 1 + count / 8
    guard steps <= limits.steps else {
      throw TemplateError(line: line, .exhausted("takes more than \(limits.steps) steps"))
    }
  }

  /// Refuses texts that grow without end, before they are made.
  func checkSize(_ count: Int) throws(TemplateError) {
    guard count <= limits.characters else {
      throw TemplateError(
        line: line, .exhausted("makes a text of more than \(limits.characters) characters"))
    }
    try spend(count)
  }

  /// Runs what may hold others of its kind: recursion must not exhaust the stack.
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
    // What was written before is not counted again.
    steps -= output.count / 8
    output += text
  }

  /// What `body` writes, kept from the output.
  func capture(_ body: () throws(TemplateError) -> Void) throws(TemplateError) -> Text {
    let outside = output
    output = Text()
    defer { output = outside }
    try body()
    return output
  }

  // MARK: Blocks

  /// Runs `body` in a scope of its own.
  func inScope<Result>(
    of parent: Scope? = nil, _ body: () throws(TemplateError) -> Result
  ) throws(TemplateError) -> Result {
    let outside = scope
    scope = Scope(parent: parent ?? outside)
    defer { scope = outside }
    return try body()
  }

  /// The macro of `definition` in this scope.
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
