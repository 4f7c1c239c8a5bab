/// A part of a story.
///
/// A sentence covers one stage, or several consecutive stages. The raw values give the order of the
/// stages in a story.
package enum StoryStage: Int, CaseIterable, Sendable {
  /// The protagonist is introduced.
  case introduction
  /// The object that the protagonist owns.
  case possession
  /// The time, the place and the weather.
  case day
  /// The companion is introduced.
  case meeting
  /// The move to another place.
  case travel
  /// The problem arises.
  case problem
  /// An attempt of the protagonist that fails.
  case attempt
  /// The event that decides the outcome.
  case event
  /// The state after the event.
  case ending
}

/// The left-hand side of a production.
enum Symbol: Sendable, Hashable {
  /// A sentence that covers the stages in order.
  case sentence([StoryStage])
  /// A part of a sentence that covers one stage of one problem.
  case clause(StoryStage)
}
