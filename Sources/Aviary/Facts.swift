/// What goes wrong in a story.
public enum Problem: String, CaseIterable, Sendable {
  /// The object is out of reach, high up.
  case stuck
  /// The object is in the water.
  case sunk
  /// The object is in a hole.
  case fallen
  /// The object cannot be found.
  case missing
  /// The object was taken.
  case stolen
  /// The object is in pieces.
  case broken
  /// The protagonist wants food.
  case hungry
  /// The protagonist wants drink.
  case thirsty
  /// The protagonist freezes.
  case cold
  /// The protagonist does not know the way.
  case lost
  /// The protagonist cannot move.
  case trapped
  /// The protagonist is injured.
  case hurt
  /// The protagonist is frightened.
  case afraid
  /// The protagonist has nothing to do.
  case bored
  /// The protagonist cannot get across.
  case blocked

  /// Whether the story is about an object.
  var involvesObject: Bool { losesObject || self == .broken }

  /// Whether the question is who has the object in the end.
  var losesObject: Bool {
    switch self {
    case .stuck, .sunk, .fallen, .missing, .stolen: true
    default: false
    }
  }
}

/// What came of the problem.
public enum Outcome: String, CaseIterable, Sendable {
  /// The companion solved it.
  case helped
  /// The protagonist solved it alone.
  case managed
  /// Nobody solved it, and nobody was there.
  case failed
  /// Nobody solved it, but the companion was a comfort.
  case consoled

  /// Whether the story has a companion.
  var involvesFriend: Bool { self == .helped || self == .consoled }
}

/// The facts that a story states.
public struct Facts: Equatable, Sendable {
  /// A person or animal of a story.
  public struct Character: Equatable, Sendable {
    /// The name, which decides the pronoun.
    public var name: String
    /// The kind of animal or the trade.
    public var kind: String
    /// The pronoun as a subject: *he* or *she*.
    public var pronoun: String
    /// What they are like, if the story says so.
    public var trait: String?
  }

  /// Who the story is about.
  public var protagonist: Character
  /// Who else is in it.
  public var companion: Character?
  /// The last place, with its article: *the harbour*.
  public var place: String
  /// The weather, as an adjective.
  public var weather: String
  /// The time of day or the weekday.
  public var time: String
  /// The object that the protagonist owns.
  public var object: String?
  /// The colour of the object.
  public var colour: String?
  /// What went wrong.
  public var problem: Problem
  /// What came of it.
  public var outcome: Outcome
  /// All other facts, by the name of their slot in the grammar: `["repair": "string"]`.
  public var details: [String: String]
}
