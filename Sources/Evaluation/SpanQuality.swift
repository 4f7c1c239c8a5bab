/// How good tags of the kind B-NAME, I-NAME and O are, by the spans of words that they mark, as
/// CoNLL's evaluation counts them: a span is right when its name, start and end are.
public struct SpanQuality: Sendable, Equatable {
  /// Spans that are marked.
  public private(set) var predicted = 0
  /// Spans that are there.
  public private(set) var actual = 0
  /// Spans that are marked and there.
  public private(set) var right = 0

  /// Nothing looked at.
  public init() {}

  /// Whether tags called `names` mark spans.
  public static func applies(to names: [String]) -> Bool {
    names.contains { $0.hasPrefix("B-") }
      && names.allSatisfy { $0 == "O" || $0.hasPrefix("B-") || $0.hasPrefix("I-") }
  }

  /// Counts the spans of one text.
  public mutating func count(predicted: [String], actual: [String]) {
    let (marked, there) = (Self.spans(of: predicted), Self.spans(of: actual))
    self.predicted += marked.count
    self.actual += there.count
    right += marked.intersection(there).count
  }

  /// The harmonic mean of the shares of marked and of true spans that are right; 0 where there are none.
  public var f1: Double { Double(2 * right) / Double(max(1, predicted + actual)) }

  private struct Span: Hashable {
    let name: Substring
    let range: Range<Int>
  }

  private static func spans(of tags: [String]) -> Set<Span> {
    var spans: Set<Span> = []
    var open: (name: Substring, start: Int)?
    for (place, tag) in (tags + ["O"]).enumerated() {
      let name = tag.dropFirst(2)
      let goesOn = tag.hasPrefix("I-") && open?.name == name
      if let span = open, !goesOn {
        spans.insert(Span(name: span.name, range: span.start..<place))
        open = nil
      }
      // An I- that goes on with nothing begins a span, as in CoNLL's evaluation.
      if open == nil, tag != "O" { open = (name, place) }
    }
    return spans
  }
}
