/// A statement of a template.
indirect enum Statement: Sendable {
  case text(Text)
  case output(Expression, line: Int)
  case conditional([(test: Expression, body: [Statement])], otherwise: [Statement])
  case loop(LoopDefinition)
  case set(AssignmentTarget, Expression, line: Int)
  /// A `set` block: assigns the output of `body`, filtered by `filter`.
  case setBlock(AssignmentTarget, filter: Expression?, body: [Statement], line: Int)
  case macro(MacroDefinition)
  /// A `call` block: evaluates a call, whose macro can call `caller`.
  case callBlock(Expression, caller: MacroDefinition, line: Int)
  case filterBlock(Expression, body: [Statement], line: Int)
  case with([(target: AssignmentTarget, value: Expression)], body: [Statement], line: Int)
  case generation([Statement])
  case breakLoop
  case continueLoop
}

/// The target of an assignment.
indirect enum AssignmentTarget: Sendable {
  case name(String)
  /// The attribute of a namespace: `name.attribute`.
  case attribute(String, String)
  case tuple([AssignmentTarget])
}

/// A `for` statement.
struct LoopDefinition: Sendable {
  let target: AssignmentTarget
  let elements: Expression
  let filter: Expression?
  let body: [Statement]
  let otherwise: [Statement]
  let line: Int
}

/// A `macro` statement.
struct MacroDefinition: Sendable {
  let name: String
  /// The parameters with their default values.
  let parameters: [(name: String, value: Expression?)]
  let body: [Statement]
  let line: Int
  /// True when the body uses `varargs`, so that further positional arguments are accepted.
  let acceptsVarargs: Bool
  /// True when the body uses `kwargs`, so that further keyword arguments are accepted.
  let acceptsKwargs: Bool
}
