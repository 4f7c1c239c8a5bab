/// A fact that a story can state.
enum StoryVariable: Int, CaseIterable, Sendable {
  case heroKind, hero, heroTrait, heroPronoun, friendKind, friend, friendTrait, friendPronoun
  case place, weather, time, object, colour, home, giver
  case height, water, nook, hole, thief, repair, food, drink, clothing, landmark, trap, limb
  case remedy, fear, song, game, barrier, crossing
  case glad, sad, manner

  var domain: Lexicon.Domain { Self.domains[rawValue] }

  private static let domains: [Lexicon.Domain] = allCases.map { variable in
    switch variable {
    case .hero, .friend: .name
    case .heroKind, .friendKind: .kind
    case .heroTrait, .friendTrait: .trait
    case .heroPronoun, .friendPronoun: .pronoun
    default: .init(named: "\(variable)")
    }
  }

  /// True when every mention is chosen anew and states no fact.
  var isFree: Bool { rawValue >= StoryVariable.glad.rawValue }

  /// The variable with which a value of this one must share a flag of `mask`; nil for most
  /// variables.
  ///
  /// An oak grows in a forest and not at sea, a wing belongs to a bird, and snow does not fall in
  /// summer. If the value of that variable has no flag of `mask`, every value fits.
  var setting: (variable: StoryVariable, mask: Flags)? {
    switch self {
    case .height, .water, .nook, .trap: (.place, .surroundings)
    case .home, .limb: (.heroKind, .classes)
    case .time: (.weather, .climates)
    default: nil
    }
  }

  /// The bit of the variable in a bit set.
  var bit: UInt64 { 1 << UInt64(rawValue) }
}

/// A gap in a pattern, filled with one form of the value of a variable.
struct Slot: Sendable, Hashable {
  enum Role: Sendable, Hashable {
    /// States the fact for the first time: `{+hero}`.
    case introduces
    /// Repeats a stated fact: `{hero}`.
    case refers
    /// Changes a stated fact, by travel: `{>place}`.
    case moves
  }

  var variable: StoryVariable
  var form: Int
  var role: Role

  init(_ text: Substring) {
    let mark = text.first
    role = mark == "+" ? .introduces : mark == ">" ? .moves : .refers
    let name = role == .refers ? text : text.dropFirst()
    guard let (variable, form) = Self.named[String(name)] else {
      preconditionFailure("the grammar has no slot '\(name)'")
    }
    (self.variable, self.form) = (variable, form)
    precondition(!variable.isFree || role == .refers, "the slot '\(name)' states no fact")
  }

  private static let named: [String: (StoryVariable, Int)] = [
    "kind": (.heroKind, 0), "trait": (.heroTrait, 0),
    "he": (.heroPronoun, 0), "him": (.heroPronoun, 1), "his": (.heroPronoun, 2),
    "himself": (.heroPronoun, 3), "friend.kind": (.friendKind, 0),
    "friend.trait": (.friendTrait, 0), "friend.he": (.friendPronoun, 0),
    "friend.him": (.friendPronoun, 1), "friend.his": (.friendPronoun, 2),
    "friend.himself": (.friendPronoun, 3), "at": (.place, 1), "weather.in": (.weather, 1),
    "weather.scene": (.weather, 2), "use": (.object, 1),
  ].merging(StoryVariable.allCases.map { ("\($0)", ($0, 0)) }) { own, _ in own }
}
