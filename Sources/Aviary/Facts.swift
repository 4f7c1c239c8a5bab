/// The problem of a story.
package enum Problem: String, CaseIterable, Sendable {
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
  /// The protagonist needs food.
  case hungry
  /// The protagonist needs drink.
  case thirsty
  /// The protagonist is cold.
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

  /// True when the story is about an object.
  var involvesObject: Bool { losesObject || self == .broken }

  /// True when the object is out of its owner's reach and can be recovered.
  var losesObject: Bool {
    switch self {
    case .stuck, .sunk, .fallen, .missing, .stolen: true
    default: false
    }
  }
}

/// The outcome of the problem.
package enum Outcome: String, CaseIterable, Sendable {
  /// The companion solved it.
  case helped
  /// The protagonist solved it alone.
  case managed
  /// The problem was not solved, and the protagonist was alone.
  case failed
  /// The problem was not solved, but the companion gave comfort.
  case consoled

  /// True when the story has a companion.
  var involvesFriend: Bool { self == .helped || self == .consoled }
}

/// The facts that a story states.
package struct Facts: Equatable, Sendable {
  /// A person or animal of a story.
  package struct Character: Equatable, Sendable {
    /// The name, which decides the pronoun.
    package var name: String
    /// The kind of animal or the trade.
    package var kind: String
    /// The pronoun as a subject: *he* or *she*.
    package var pronoun: String
    /// The character trait; nil when the story does not state it.
    package var trait: String?
  }

  /// The main character.
  package var protagonist: Character
  /// The second character; nil when there is none.
  package var companion: Character?
  /// The place at the end of the story, with its article: *the harbour*.
  package var place: String
  /// The weather, as an adjective.
  package var weather: String
  /// The time of day or the weekday.
  package var time: String
  /// The object that the protagonist owns; nil when there is none.
  package var object: String?
  /// The colour of the object; nil when there is none.
  package var colour: String?
  package var problem: Problem
  package var outcome: Outcome
  /// All other facts, by the name of their variable: `["repair": "string"]`.
  package var details: [String: String]
}
