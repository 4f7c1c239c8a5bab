/// A regular expression as a tree.
indirect enum PatternNode: Sendable {
  case set(PatternSet)
  case sequence([PatternNode])
  case alternatives([PatternNode])
  case repeated(PatternNode, minimum: Int, maximum: Int, Kind)
  /// `(?=…)` and `(?!…)`.
  case ahead(PatternNode, isNegative: Bool)
  case lineStart
  case lineEnd
  case textStart
  case textEnd

  /// How a repetition chooses its count.
  enum Kind: Sendable {
    case greedy
    case lazy
    case possessive
  }

  /// Whether the node can match nothing.
  var isNullable: Bool {
    switch self {
    case .set: false
    case .sequence(let nodes): nodes.allSatisfy(\.isNullable)
    case .alternatives(let nodes): nodes.contains(where: \.isNullable)
    case .repeated(let node, let minimum, _, _): minimum == 0 || node.isNullable
    case .ahead, .lineStart, .lineEnd, .textStart, .textEnd: true
    }
  }
}

/// Why a pattern is refused.
struct PatternError: Error, Equatable {
  /// What is not supported or wrong, such as `look-behind`.
  let construct: String
}
