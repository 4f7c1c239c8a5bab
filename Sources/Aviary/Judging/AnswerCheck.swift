/// The comparison of an answer with its instruction.
package struct AnswerCheck: Equatable, Sendable {
  /// Number of facts that the instruction names.
  package let factsNamed: Int
  /// Number of those facts that the answer keeps.
  package let factsKept: Int
  /// True for a kind ending.
  package let isKind: Bool
  /// True for a consistent story.
  package let isConsistent: Bool

  /// True when the answer keeps every fact that the instruction names.
  package var isFollowed: Bool { factsKept == factsNamed }

  /// Compares `answer` with an instruction that names `facts`.
  package init(of answer: String, to facts: NamedFacts) {
    let found = StoryChecker().analyze(answer)
    factsNamed = facts.named.count
    factsKept = facts.kept(in: found.facts).count
    isKind = found.isKind
    isConsistent = found.isConsistent
  }
}
