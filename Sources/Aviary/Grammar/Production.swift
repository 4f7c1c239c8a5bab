/// A grammar production: a sequence of words, slots and clauses for a symbol, with the conditions
/// of its use.
struct Production: Sendable {
  enum Element: Sendable {
    case word(StoryVocabulary.Token)
    case slot(Slot)
    case clause(StoryStage)
  }

  var symbol: Symbol
  /// The problem to which the production belongs; nil when it fits every problem.
  var problem: Problem?
  /// The outcomes that remain possible in a story that uses the production.
  var outcomes: Outcomes = []
  var requirements: [Requirement] = []
  let elements: [Element]
  /// Bit set of the variables that the slots introduce; a name also introduces its pronoun.
  let introduces: UInt64
  /// Bit set of the variables to which the slots refer.
  let refers: UInt64
  let travels: Bool
  let clauses: [StoryStage]

  init(symbol: Symbol, problem: Problem?, elements: [Element]) {
    self.symbol = symbol
    self.problem = problem
    self.elements = elements
    var introduces: UInt64 = 0
    var refers: UInt64 = 0
    var travels = false
    var clauses: [StoryStage] = []
    for element in elements {
      switch element {
      case .word: break
      case .clause(let stage): clauses.append(stage)
      case .slot(let slot):
        switch slot.role {
        case .introduces: introduces |= slot.variable.bit
        case .refers: refers |= slot.variable.isFree ? 0 : slot.variable.bit
        case .moves: travels = true
        }
      }
    }
    if introduces & StoryVariable.hero.bit != 0 { introduces |= StoryVariable.heroPronoun.bit }
    if introduces & StoryVariable.friend.bit != 0 { introduces |= StoryVariable.friendPronoun.bit }
    (self.introduces, self.refers) = (introduces, refers)
    (self.travels, self.clauses) = (travels, clauses)
  }
}

/// A set of outcomes.
struct Outcomes: OptionSet, Sendable, Hashable {
  let rawValue: UInt8
}

extension Outcomes {
  init(_ outcome: Outcome) {
    rawValue = 1 << UInt8(outcome.index)
  }

  static let all = Outcomes(rawValue: 15)

  /// The members, in the order of their declaration.
  var members: [Outcome] { Outcome.allCases.filter { contains(Outcomes($0)) } }
}

extension Outcome {
  /// The position in `allCases`.
  var index: Int {
    switch self {
    case .helped: 0
    case .managed: 1
    case .failed: 2
    case .consoled: 3
    }
  }
}

/// A condition on the value of a variable.
///
/// The value must have at least one flag of `any`, unless `any` is empty, and no flag of `none`.
struct Requirement: Sendable, Hashable {
  var variable: StoryVariable
  var any: Flags = []
  var none: Flags = []

  func isMet(by flags: Flags) -> Bool {
    (any.isEmpty || !flags.isDisjoint(with: any)) && flags.isDisjoint(with: none)
  }
}

extension Requirement {
  /// Parses a requirement such as `friend+fly+climb` (any of the flags) or `hero-swim-fly` (none of
  /// the flags).
  init(_ text: Substring) {
    let name = text.prefix { $0.isLetter }
    let variables: [Substring: StoryVariable] = [
      "hero": .heroKind, "friend": .friendKind, "place": .place, "weather": .weather,
      "object": .object,
    ]
    guard let variable = variables[name] else {
      preconditionFailure("the grammar has no requirement '\(text)'")
    }
    self.variable = variable
    let flags = text.dropFirst(name.count).split { !$0.isLetter }
      .reduce(into: Flags()) { $0.insert(Flags(named: $1)) }
    precondition(!flags.isEmpty, "the requirement '\(text)' has no flags")
    if text.dropFirst(name.count).first == "+" { any = flags } else { none = flags }
  }
}
