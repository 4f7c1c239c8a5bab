/// A statement of a template.
indirect enum Statement: Sendable {
  case text(Text)
  case output(Expression, line: Int)
  case conditional([(test: Expression, body: [Statement])], otherwise: [Statement])
  case loop(LoopDefinition)
  case set(AssignmentTarget, Expression, line: Int)
  /// A `set` block: what `body` writes, through `filter`.
  case setBlock(AssignmentTarget, filter: Expression?, body: [Statement], line: Int)
  case macro(MacroDefinition)
  /// A `call` block: `call`, which may ask for `caller`.
  case callBlock(Expression, caller: MacroDefinition, line: Int)
  /// A `filter` block.
  case filterBlock(Expression, body: [Statement], line: Int)
  case with([(target: AssignmentTarget, value: Expression)], body: [Statement], line: Int)
  case generation([Statement])
  case breakLoop
  case continueLoop
}

/// What a value is given to.
indirect enum AssignmentTarget: Sendable {
  case name(String)
  /// `name.attribute`, on a namespace.
  case attribute(String, String)
  case tuple([AssignmentTarget])
}

/// A `for`.
struct LoopDefinition: Sendable {
  let target: AssignmentTarget
  let elements: Expression
  let filter: Expression?
  let body: [Statement]
  let otherwise: [Statement]
  let line: Int
}

/// A `macro`.
struct MacroDefinition: Sendable {
  let name: String
  /// With the values that they have when no argument is given.
  let parameters: [(name: String, value: Expression?)]
  let body: [Statement]
  let line: Int
  /// Whether the body speaks of `varargs` and of `kwargs`, so that more arguments are taken.
  let takesMore: Bool
  let takesMoreKeywords: Bool
}
