/// Properties of an entry of the lexicon: abilities, classes, climates, surroundings and genders.
struct Flags: OptionSet, Sendable, Hashable {
  let rawValue: UInt32

  // Element i names bit i. The tables, the grammar and the messages use these names.
  private static let names = [
    "bird", "beast", "person", "fly", "climb", "swim", "dig", "cold", "hot", "breakable",
    "wood", "shore", "fresh", "farm", "town", "hill", "garden", "she", "he",
  ]
}

extension Flags {
  /// The flag called `name`.
  init(named name: Substring) {
    guard let bit = Self.names.firstIndex(of: String(name)) else {
      preconditionFailure("the lexicon has no flag '\(name)'")
    }
    rawValue = 1 << UInt32(bit)
  }

  static let classes: Flags = [Flags(named: "bird"), Flags(named: "beast"), Flags(named: "person")]
  static let climates: Flags = [Flags(named: "cold"), Flags(named: "hot")]
  static let surroundings: Flags = [
    Flags(named: "wood"), Flags(named: "shore"), Flags(named: "fresh"), Flags(named: "farm"),
    Flags(named: "town"), Flags(named: "hill"), Flags(named: "garden"),
  ]

  /// The names of the flags in the set, in the order of their bits.
  var names: [String] {
    Self.names.indices.filter { rawValue & (1 << UInt32($0)) != 0 }.map { Self.names[$0] }
  }
}
