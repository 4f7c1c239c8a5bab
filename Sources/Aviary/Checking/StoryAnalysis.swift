/// The result of checking a text: its verdict and all facts that could be parsed.
package struct StoryAnalysis: Equatable, Sendable {
  package var verdict: StoryVerdict
  /// The stated facts among those that an instruction can name.
  ///
  /// If the text contradicts itself, they are the first values stated, but the last place.
  package var facts: NamedFacts
  /// True when the last sentence with an ending has a kind ending.
  package var isKind: Bool

  /// True when the text is a story without contradictions.
  package var isConsistent: Bool {
    if case .consistent = verdict { true } else { false }
  }

  package var contradictions: [Contradiction] {
    switch verdict {
    case .consistent: []
    case .inconsistent(let contradictions), .unreadable(let contradictions): contradictions
    }
  }
}
