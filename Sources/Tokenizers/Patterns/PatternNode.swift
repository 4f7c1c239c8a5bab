/// The syntax tree of a regular expression.
indirect enum PatternNode: Sendable {
  case set(PatternSet)
  case sequence([PatternNode])
  case alternatives([PatternNode])
  case repeated(PatternNode, minimum: Int, maximum: Int, Kind)
  /// Look-ahead: `(?=…)` and `(?!…)`.
  case lookahead(PatternNode, isNegative: Bool)
  case lineStart
  case lineEnd
  case textStart
  case textEnd

  /// The order in which a repetition tries its counts.
  enum Kind: Sendable {
    case greedy
    case lazy
    case possessive
  }

  /// True when the node can match the empty string.
  var isNullable: Bool {
    switch self {
    case .set: false
    case .sequence(let nodes): nodes.allSatisfy(\.isNullable)
    case .alternatives(let nodes): nodes.contains(where: \.isNullable)
    case .repeated(let node, let minimum, _, _): minimum == 0 || node.isNullable
    case .lookahead, .lineStart, .lineEnd, .textStart, .textEnd: true
    }
  }
}

/// The error for an unsupported or invalid pattern.
struct PatternError: Error, Equatable {
  /// The unsupported or invalid construct, such as `group '(?<='`.
  let construct: String
}
