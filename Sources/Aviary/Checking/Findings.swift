/// What a reader of nothing but the text finds, however little of it can be read.
public struct Findings: Equatable, Sendable {
  /// Whether the text is a story and its facts hold.
  public var verdict: Verdict
  /// What the text states of the facts that an instruction can name; where it contradicts itself,
  /// what it states first, but the last place.
  public var facts: NamedFacts
  /// Whether the last sentence that tells an ending tells a kind one.
  public var isKind: Bool

  /// Whether the text is a story and its facts hold.
  public var isConsistent: Bool {
    if case .consistent = verdict { true } else { false }
  }

  /// What is wrong with the text.
  public var contradictions: [Contradiction] {
    switch verdict {
    case .consistent: []
    case .inconsistent(let contradictions), .unreadable(let contradictions): contradictions
    }
  }
}
