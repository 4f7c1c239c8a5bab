/// Counts of how well answers follow their instructions.
///
/// They are counts and not rates, so that those of all ranks can be added before a division.
package struct AnswerCounts: Equatable, Sendable {
  /// Number of answers.
  package var answers = 0
  /// Number of answers that keep every fact named in their instruction.
  package var followed = 0
  /// Number of facts that the instructions name.
  package var factsNamed = 0
  /// Number of those facts that the answers keep.
  package var factsKept = 0
  /// Number of answers with a kind ending.
  package var kind = 0
  /// Number of answers that are consistent stories.
  package var consistent = 0

  package init() {}

  /// Adds the answer to an instruction that names `facts`.
  package mutating func add(_ answer: String, to facts: NamedFacts) {
    let found = StoryChecker().analyze(answer)
    let (named, kept) = (facts.named.count, facts.kept(in: found.facts).count)
    answers += 1
    followed += kept == named ? 1 : 0
    factsNamed += named
    factsKept += kept
    kind += found.isKind ? 1 : 0
    consistent += found.isConsistent ? 1 : 0
  }
}
