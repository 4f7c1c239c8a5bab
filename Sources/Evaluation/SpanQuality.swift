/// Span-level F1 of tags of the form B-NAME, I-NAME and O, counted as in CoNLL's evaluation: a
/// predicted span is correct when its name, start and end are.
package struct SpanQuality: Sendable, Equatable {
  /// Number of predicted spans.
  package private(set) var predicted = 0
  /// Number of true spans.
  package private(set) var actual = 0
  /// Number of predicted spans that are true.
  package private(set) var correct = 0

  package init() {}

  /// Returns true when the tag names form a B-/I-/O scheme: at least one begins with `B-`, and all
  /// others begin with `B-` or `I-` or are `O`.
  package static func applies(to names: [String]) -> Bool {
    names.contains { $0.hasPrefix("B-") }
      && names.allSatisfy { $0 == "O" || $0.hasPrefix("B-") || $0.hasPrefix("I-") }
  }

  /// Adds the spans of one text, given the predicted and the true tag of each word.
  package mutating func count(predicted: [String], actual: [String]) {
    let (marked, expected) = (Self.spans(of: predicted), Self.spans(of: actual))
    self.predicted += marked.count
    self.actual += expected.count
    correct += marked.intersection(expected).count
  }

  /// F1: the harmonic mean of precision and recall, 2·correct / (predicted + actual); 0 without
  /// spans.
  package var f1: Double { Double(2 * correct) / Double(max(1, predicted + actual)) }

  private struct Span: Hashable {
    let name: Substring
    let range: Range<Int>
  }

  private static func spans(of tags: [String]) -> Set<Span> {
    var spans: Set<Span> = []
    var open: (name: Substring, start: Int)?
    for (index, tag) in (tags + ["O"]).enumerated() {
      let name = tag.dropFirst(2)
      let continues = tag.hasPrefix("I-") && open?.name == name
      if let span = open, !continues {
        spans.insert(Span(name: span.name, range: span.start..<index))
        open = nil
      }
      // An I- tag that continues no span begins one, as in CoNLL's evaluation.
      if open == nil, tag != "O" { open = (name, index) }
    }
    return spans
  }
}
