/// The syntax tree of a regular expression.
indirect enum PatternNode: Sendable {
  case set(PatternSet)
  case sequence([PatternNode])
  case alternatives([PatternNode])
  case repeated(PatternNode, minimum: Int, maximum: Int, Kind)
  /// Look-ahead: `(?=…)` and `(?!…)`.
  case lookahead(PatternNode, isNegative: Bool)
  case anchor(Anchor)

  /// A place in the text: `^`, `$`, `\A` and `\z`.
  enum Anchor: Sendable {
    case lineStart
    case lineEnd
    case textStart
    case textEnd

    /// Returns true when `position` of `text` is such a place.
    func holds(at position: Int, in text: UnsafeBufferPointer<UInt8>) -> Bool {
      switch self {
      case .lineStart: position == 0 || text[position - 1] == 0x0A
      case .lineEnd: position == text.count || text[position] == 0x0A
      case .textStart: position == 0
      case .textEnd: position == text.count
      }
    }
  }

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
    case .lookahead, .anchor: true
    }
  }
}

/// The error for an unsupported or invalid pattern.
struct PatternError: Error, Equatable {
  /// The unsupported or invalid construct, such as `group '(?<='`.
  let construct: String
}
