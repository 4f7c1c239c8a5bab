/// The facts that a story has stated so far.
struct Ledger: Sendable {
  private let grammar: Grammar
  /// Index of the entry of each variable, at `StoryVariable.rawValue`; -1 when it is not stated.
  private var values = [Int](repeating: -1, count: StoryVariable.allCases.count)
  private var problem: Problem?
  private var outcomes = Outcomes.all
  private var stages: [StoryStage] = []
  /// The outcomes that fit the last sentence with an ending, taken by itself.
  private(set) var ending: Outcomes = []

  init(_ grammar: Grammar) {
    self.grammar = grammar
  }

  /// Records a sentence and returns its contradictions to the world or to earlier sentences.
  ///
  /// When a fact clashes, the first value is kept.
  mutating func record(_ parse: Parse) -> [Clash] {
    var clashes: [Clash] = []
    // A sentence can use a fact before it states it: "she liked to fly her red kite".
    for mention in parse.mentions where mention.slot.role == .introduces {
      introduce(mention, &clashes)
    }
    for mention in parse.mentions where mention.slot.role == .refers {
      refer(mention, &clashes)
    }
    for mention in parse.mentions where mention.slot.role == .moves {
      let variable = mention.slot.variable
      if self[variable] == mention.value {
        clashes.append(.unstated("new place", now: word(variable, mention.value)))
      }
      self[variable] = mention.value
    }
    let productions = parse.productions.map { grammar.productions[$0] }
    for production in productions { apply(production, &clashes) }
    if productions.contains(where: { $0.symbol == .clause(.ending) }) {
      ending = productions.reduce(.all) { $0.intersection($1.outcomes) }
    }
    return clashes
  }

  /// The required stages that the story does not have yet.
  var missingStages: [StoryStage] {
    [.introduction, .day, .problem, .event, .ending].filter { !stages.contains($0) }
  }

  /// The stated facts among those that an instruction can name.
  var named: NamedFacts {
    NamedFacts(
      name: optional(.hero), kind: optional(.heroKind), place: optional(.place),
      time: optional(.time), problem: problem)
  }

  /// The facts; nil until all facts that every story needs are stated.
  var facts: Facts? {
    // An event leaves only one outcome possible.
    let outcome = outcomes.members.count == 1 ? outcomes.members.first : nil
    guard let problem, let outcome, missingStages.isEmpty, self[.hero] >= 0,
      self[.heroKind] >= 0, self[.place] >= 0, self[.weather] >= 0, self[.time] >= 0
    else { return nil }
    func required(_ variable: StoryVariable) -> String { word(variable, self[variable]) }
    var details: [String: String] = [:]
    for variable in StoryVariable.allCases
    where variable.rawValue >= StoryVariable.home.rawValue && !variable.isFree {
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
  private subscript(variable: StoryVariable) -> Int {
    get { values[variable.rawValue] }
    set { values[variable.rawValue] = newValue }
  }

  private func word(_ variable: StoryVariable, _ value: Int) -> String {
    grammar.entries(of: variable)[value].forms[0]
  }

  private func optional(_ variable: StoryVariable) -> String? {
    self[variable] < 0 ? nil : word(variable, self[variable])
  }

  private mutating func introduce(_ mention: Parse.Mention, _ clashes: inout [Clash]) {
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
      let pronoun: StoryVariable = variable == .hero ? .heroPronoun : .friendPronoun
      self[pronoun] = grammar.entries(of: pronoun).firstIndex { $0.flags == flags } ?? -1
      if self[.hero] == self[.friend] {
        clashes.append(.duplicateName(word(variable, mention.value)))
      }
    }
    if let (other, mask) = variable.setting, self[other] >= 0 {
      let setting = grammar.entries(of: other)[self[other]].flags.intersection(mask)
      if !setting.isEmpty, flags.isDisjoint(with: setting) {
        clashes.append(.misplaced(word(variable, mention.value), at: word(other, self[other])))
      }
    }
  }

  private mutating func refer(_ mention: Parse.Mention, _ clashes: inout [Clash]) {
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
        clashes.append(.unknownCharacter(now))
      }
    case .heroPronoun, .friendPronoun:
      let name: StoryVariable = variable == .heroPronoun ? .hero : .friend
      let spelling = grammar.entries(of: variable)[mention.value].forms[mention.slot.form]
      // A pronoun can occur before any character has a name.
      if known < 0 || self[name] < 0 {
        clashes.append(.unknownCharacter(spelling))
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
    let stage: StoryStage
    switch production.symbol {
    case .clause(let clause): stage = clause
    case .sentence(let stages):
      stage = stages[0]
      for stage in stages {
        if let last = self.stages.last, last.rawValue >= stage.rawValue {
          clashes.append(.outOfOrder(stage, after: last))
        }
        self.stages.append(stage)
      }
    }
    if let now = production.problem {
      if let was = problem, was != now {
        clashes.append(.differentProblem(stage, was: was, now: now))
      } else {
        problem = now
      }
    }
    let remaining = outcomes.intersection(production.outcomes)
    if remaining.isEmpty {
      clashes.append(
        .differentOutcome(stage, was: outcomes.members, now: production.outcomes.members))
    } else {
      outcomes = remaining
    }
    for requirement in production.requirements where self[requirement.variable] >= 0 {
      let entry = grammar.entries(of: requirement.variable)[self[requirement.variable]]
      if !requirement.isMet(by: entry.flags) {
        clashes.append(
          .unmetRequirement(
            entry.forms[0], needs: requirement.any.names,
            excludes: requirement.none.intersection(entry.flags).names))
      }
    }
  }
}

extension StoryVariable {
  /// The name of the variable in messages.
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
