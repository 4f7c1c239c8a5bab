/// An expression of a template.
indirect enum Expression: Sendable {
  case none
  case bool(Bool)
  case integer(Int)
  case real(Double)
  case text(Text)
  case name(String)
  /// The output of a `filter` or `set` block, to which the filters of its tag apply.
  case captured
  case list([Expression])
  case tuple([Expression])
  case dictionary([(key: Expression, value: Expression)])
  case attribute(Expression, String, line: Int)
  case item(Expression, Expression, line: Int)
  case slice(Expression, start: Expression?, stop: Expression?, step: Expression?, line: Int)
  case call(Expression, CallArguments, line: Int)
  case filter(Expression, String, CallArguments, line: Int)
  case test(Expression, String, CallArguments, line: Int)
  case not(Expression)
  case negative(Expression, line: Int)
  case positive(Expression, line: Int)
  case and(Expression, Expression)
  case or(Expression, Expression)
  case arithmetic(Expression, ArithmeticOperator, Expression, line: Int)
  case concatenation([Expression], line: Int)
  case comparison(Expression, [(kind: ComparisonOperator, right: Expression)], line: Int)
  case conditional(test: Expression, then: Expression, otherwise: Expression?)
}

/// A binary arithmetic operator; the raw value is its symbol.
enum ArithmeticOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case remainder = "%"
  case power = "**"
}

/// A comparison operator; the raw value is its symbol.
enum ComparisonOperator: String, Sendable {
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case isIn = "in"
  case isNotIn = "not in"
}

/// The unevaluated arguments of a call.
struct CallArguments: Sendable {
  var positional: [Expression] = []
  var keywords: [(name: String, value: Expression)] = []
  /// The expression after `*`.
  var spread: Expression?
  /// The expression after `**`.
  var spreadKeywords: Expression?
}
