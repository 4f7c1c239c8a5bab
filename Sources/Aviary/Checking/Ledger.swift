/// What a story has said so far, and what each further sentence does to it.
struct Ledger: Sendable {
  private let grammar: Grammar
  /// The entry of each variable, at `Variable.rawValue`; -1 where it has not been stated.
  private var values = [Int](repeating: -1, count: Variable.allCases.count)
  private var problem: Problem?
  private var outcomes = Outcomes.all
  private var told: [Stage] = []
  /// What can have come of the problem by the last sentence that tells an ending, on its own.
  private(set) var ending: Outcomes = []

  init(_ grammar: Grammar) {
    self.grammar = grammar
  }

  /// Takes a sentence in and returns what in it contradicts the world or the sentences before.
  ///
  /// Where a fact clashes, the value that was stated first stays.
  mutating func tell(_ reading: Reading) -> [Clash] {
    var clashes: [Clash] = []
    // A sentence may use a fact before it states it: "she liked to fly her red kite".
    for mention in reading.mentions where mention.slot.role == .introduces {
      introduce(mention, &clashes)
    }
    for mention in reading.mentions where mention.slot.role == .refers {
      refer(mention, &clashes)
    }
    for mention in reading.mentions where mention.slot.role == .moves {
      let variable = mention.slot.variable
      if self[variable] == mention.value {
        clashes.append(.unstated("new place", now: word(variable, mention.value)))
      }
      self[variable] = mention.value
    }
    let productions = reading.productions.map { grammar.productions[$0] }
    for production in productions { apply(production, &clashes) }
    if productions.contains(where: { $0.symbol == .clause(.ending) }) {
      ending = productions.reduce(.all) { $0.intersection($1.outcomes) }
    }
    return clashes
  }

  /// The stages that a whole story has to tell and this one has not told.
  var untold: [Stage] {
    [.introduction, .day, .problem, .event, .ending].filter { !told.contains($0) }
  }

  /// The facts that an instruction can name, as far as they have been stated.
  var named: NamedFacts {
    NamedFacts(
      name: optional(.hero), kind: optional(.heroKind), place: optional(.place),
      time: optional(.time), problem: problem)
  }

  /// The facts, once all that every story states has been stated.
  var facts: Facts? {
    // An event leaves only one outcome possible.
    let outcome = outcomes.members.count == 1 ? outcomes.members.first : nil
    guard let problem, let outcome, untold.isEmpty, self[.hero] >= 0,
      self[.heroKind] >= 0, self[.place] >= 0, self[.weather] >= 0, self[.time] >= 0
    else { return nil }
    func required(_ variable: Variable) -> String { word(variable, self[variable]) }
    var details: [String: String] = [:]
    for variable in Variable.allCases
    where variable.rawValue >= Variable.home.rawValue && !variable.isFree {
      if let value = optional(variable) { details["\(variable)"] = value }
    }
    return Facts(
      protagonist: Facts.Character(
        name: required(.hero), kind: required(.heroKind), pronoun: required(.heroPronoun),
        trait: optional(.heroTrait)),
      companion: self[.friend] < 0 || self[.friendKind] < 0
        ? nil
        : Facts.Character(
          name: required(.friend), kind: required(.friendKind),
          pronoun: required(.friendPronoun), trait: optional(.friendTrait)),
      place: required(.place), weather: required(.weather), time: required(.time),
      object: optional(.object), colour: optional(.colour), problem: problem,
      outcome: outcome, details: details)
  }
}

// The rules.
extension Ledger {
  private subscript(variable: Variable) -> Int {
    get { values[variable.rawValue] }
    set { values[variable.rawValue] = newValue }
  }

  private func word(_ variable: Variable, _ value: Int) -> String {
    grammar.entries(of: variable)[value].forms[0]
  }

  private func optional(_ variable: Variable) -> String? {
    self[variable] < 0 ? nil : word(variable, self[variable])
  }

  private mutating func introduce(_ mention: Reading.Mention, _ clashes: inout [Clash]) {
    let variable = mention.slot.variable
    if self[variable] >= 0 {
      if self[variable] != mention.value {
        clashes.append(
          .changed(
            variable.title, was: word(variable, self[variable]),
            now: word(variable, mention.value)))
      }
      return
    }
    self[variable] = mention.value
    let flags = grammar.entries(of: variable)[mention.value].flags
    if variable == .hero || variable == .friend {
      let pronoun: Variable = variable == .hero ? .heroPronoun : .friendPronoun
      self[pronoun] = grammar.entries(of: pronoun).firstIndex { $0.flags == flags } ?? -1
      if self[.hero] == self[.friend] { clashes.append(.namesake(word(variable, mention.value))) }
    }
    if let (other, mask) = variable.setting, self[other] >= 0 {
      let setting = grammar.entries(of: other)[self[other]].flags.intersection(mask)
      if !setting.isEmpty, flags.isDisjoint(with: setting) {
        clashes.append(.misplaced(word(variable, mention.value), at: word(other, self[other])))
      }
    }
  }

  private mutating func refer(_ mention: Reading.Mention, _ clashes: inout [Clash]) {
    let variable = mention.slot.variable
    let known = self[variable]
    guard known != mention.value, !variable.isFree else { return }
    let now = word(variable, mention.value)
    switch variable {
    case .hero, .friend:
      let other = self[variable == .hero ? .friend : .hero]
      if known >= 0 && other == mention.value {
        clashes.append(.wrongCharacter(now, instead: word(variable, known)))
      } else {
        clashes.append(.stranger(now))
      }
    case .heroPronoun, .friendPronoun:
      let name: Variable = variable == .heroPronoun ? .hero : .friend
      let spelling = grammar.entries(of: variable)[mention.value].forms[mention.slot.form]
      // A pronoun may have been used before anybody had a name.
      if known < 0 || self[name] < 0 {
        clashes.append(.stranger(spelling))
      } else {
        let was = grammar.entries(of: variable)[known].forms[mention.slot.form]
        clashes.append(.pronoun(of: word(name, self[name]), was: was, now: spelling))
      }
    default:
      clashes.append(
        known < 0
          ? .unstated(variable.title, now: now)
          : .changed(variable.title, was: word(variable, known), now: now))
    }
    if known < 0 { self[variable] = mention.value }
  }

  private mutating func apply(_ production: Production, _ clashes: inout [Clash]) {
    let stage: Stage
    switch production.symbol {
    case .clause(let clause): stage = clause
    case .sentence(let stages):
      stage = stages[0]
      for stage in stages {
        if let last = told.last, last.rawValue >= stage.rawValue {
          clashes.append(.outOfOrder(stage, after: last))
        }
        told.append(stage)
      }
    }
    if let now = production.problem {
      if let was = problem, was != now {
        clashes.append(.otherProblem(stage, was: was, now: now))
      } else {
        problem = now
      }
    }
    let remaining = outcomes.intersection(production.outcomes)
    if remaining.isEmpty {
      clashes.append(
        .otherOutcome(stage, was: outcomes.members, now: production.outcomes.members))
    } else {
      outcomes = remaining
    }
    for requirement in production.requirements where self[requirement.variable] >= 0 {
      let entry = grammar.entries(of: requirement.variable)[self[requirement.variable]]
      if !requirement.isMet(by: entry.flags) {
        clashes.append(
          .unable(
            entry.forms[0], needs: requirement.any.names,
            excludes: requirement.none.intersection(entry.flags).names))
      }
    }
  }
}

extension Variable {
  /// The variable in the words of a message.
  var title: String {
    switch self {
    case .hero: "protagonist"
    case .heroKind: "protagonist's kind"
    case .heroTrait: "protagonist's trait"
    case .friend: "companion"
    case .friendKind: "companion's kind"
    case .friendTrait: "companion's trait"
    default: "\(self)"
    }
  }
}
