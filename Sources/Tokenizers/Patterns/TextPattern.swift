/// The pattern of Split and Replace: a literal text or a regular expression.
enum TextPattern: Sendable {
  case text([UInt8])
  case expression(Pattern)
  /// GPT-2's expression, matched by `WordScanner`.
  case gpt2
  /// The expression of Llama 3 and Qwen with this many digits per word, matched by
  /// `CasedWordScanner`.
  case llama3(digits: Int)

  /// Compiles the expression `text`; those of GPT-2, Llama 3 and Qwen have a scanner of their own,
  /// which is faster.
  init(expression text: String) throws(PatternError) {
    switch text {
    case WordScanner.expression: self = .gpt2
    case CasedWordScanner.expression(digits: 3): self = .llama3(digits: 3)
    case CasedWordScanner.expression(digits: 1): self = .llama3(digits: 1)
    default: self = .expression(try Pattern(text))
    }
  }

  /// The largest factor by which replacing every match by `content` lengthens a text.
  func growth(replacedBy content: [UInt8]) -> Double {
    // A match of an expression may be a single byte.
    var shortest = 1
    if case .text(let text) = self { shortest = max(1, text.count) }
    return max(1, Double(content.count) / Double(shortest))
  }

  /// True when the matches are known to cover every text without gaps.
  var cutsWithoutGaps: Bool {
    switch self {
    case .gpt2, .llama3: true
    case .text, .expression: false
    }
  }

  /// Returns the non-empty matches in `bytes`, in order.
  func matches(in bytes: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    forEachMatch(in: bytes) { ranges.append($0) }
    return ranges
  }

  /// Calls `visit` with each non-empty match in `bytes`, in order.
  func forEachMatch(in bytes: UnsafeBufferPointer<UInt8>, _ visit: (Range<Int>) -> Void) {
    switch self {
    case .text(let text):
      guard let first = text.first else { return }
      var index = 0
      while index + text.count <= bytes.count {
        if bytes[index] == first, bytes[index...].starts(with: text) {
          visit(index..<index + text.count)
          index += text.count
        } else {
          index += 1
        }
      }
    case .expression(let pattern):
      var failed = FailedChoices(length: bytes.count)
      var index = 0
      while index < bytes.count {
        if let end = pattern.match(bytes, at: index, &failed), end > index {
          visit(index..<end)
          index = end
        } else {
          index += bytes.scalar(at: index).length
        }
      }
    case .gpt2:
      var scanner = WordScanner(bytes)
      while let range = scanner.next() { visit(range) }
    case .llama3(let digits):
      var scanner = CasedWordScanner(bytes, digits: digits)
      while let range = scanner.next() { visit(range) }
    }
  }
}
