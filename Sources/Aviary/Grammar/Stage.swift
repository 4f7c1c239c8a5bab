/// A part of a story; a sentence tells one of them, or several that follow each other.
///
/// The raw values are the order in which a story tells them.
public enum Stage: Int, CaseIterable, Sendable {
  /// Who the story is about.
  case introduction
  /// What the protagonist owns.
  case possession
  /// When, where, and in what weather it happened.
  case day
  /// Who else was there.
  case meeting
  /// How they went to another place.
  case travel
  /// What went wrong.
  case problem
  /// What the protagonist tried in vain.
  case attempt
  /// What was done about the problem.
  case event
  /// How it ended.
  case ending

  /// The stage called `name` in the grammar.
  init(named name: Substring) {
    guard let stage = Stage.allCases.first(where: { "\($0)" == name }) else {
      preconditionFailure("the grammar has no stage '\(name)'")
    }
    self = stage
  }
}

/// What a production is a rewriting of.
enum Symbol: Sendable, Hashable {
  /// A sentence that tells the stages, in order.
  case sentence([Stage])
  /// The part of a sentence that tells one stage of one problem.
  case clause(Stage)
}
