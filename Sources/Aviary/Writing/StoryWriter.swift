import RandomNumbers

/// Writes one story from a stream of random numbers.
///
/// It first chooses the productions of all sentences, then the values of the facts, subject to the
/// requirements of all productions, and last the words.
struct StoryWriter {
  // The facts that every story mentions at least twice, so that a changed mention can be detected.
  private static let recurring =
    StoryVariable.hero.bit | StoryVariable.friend.bit | StoryVariable.place.bit
    | StoryVariable.weather.bit
    | StoryVariable.object.bit | StoryVariable.colour.bit

  private let grammar: Grammar
  private let scope: StoryScope
  private var random: RandomSequence
  // The productions of each sentence: that of its frame, then those of its clauses.
  private var sentences: [[Int]] = []
  // Bit sets of the stated variables, and of the recurring ones that are mentioned only once so
  // far.
  private var known: UInt64 = 0
  private var once: UInt64 = 0
  private var values = [Int](repeating: -1, count: StoryVariable.allCases.count)
  private var destination = -1

  init(_ grammar: Grammar, _ scope: StoryScope, _ stream: RandomStream) {
    self.grammar = grammar
    self.scope = scope
    random = RandomSequence(stream)
  }

  /// Returns the tokens and the parse of each sentence.
  mutating func write() -> [(tokens: [StoryVocabulary.Token], parse: Parse)] {
    let problemIndex = scope.problems[draw(below: scope.problems.count)]
    let problem = Problem.allCases[problemIndex]
    let outcome = Outcome.allCases[draw(below: Outcome.allCases.count)]
    let attempts = grammar.productions(of: .sentence([.attempt]), problemIndex, outcome)
    let plans = scope.plans[
      Grammar.planIndex(
        object: problem.involvesObject, friend: outcome.involvesFriend, attempt: !attempts.isEmpty)]
    let lengths = plans[draw(below: plans.count)]
    let plan = lengths[draw(below: lengths.count)]
    for (index, stages) in plan.sentences.enumerated() {
      compose(stages, problemIndex, outcome, isLast: index == plan.sentences.count - 1)
    }
    drawValues()
    return sentences.map { phrase($0) }
  }

  private mutating func draw(below count: Int) -> Int {
    precondition(count > 0, "the grammar leaves no choice")
    return Int(((random.next() >> 32) &* UInt64(count)) >> 32)
  }
}

// Choosing the productions.
extension StoryWriter {
  // The clauses of a sentence are chosen before its frame, so that the frame of the last sentence
  // can mention the recurring facts that the story has mentioned only once.
  private mutating func compose(
    _ stages: [StoryStage], _ problem: Int, _ outcome: Outcome, isLast: Bool
  ) {
    let frames = grammar.productions(of: .sentence(stages), problem, outcome)
    var clauses: [Int] = []
    for stage in grammar.productions[frames[0]].clauses {
      let fitting = grammar.productions(of: .clause(stage), problem, outcome).filter(fits)
      let clause = fitting[draw(below: fitting.count)]
      clauses.append(clause)
      recordMentions(of: clause)
    }
    let fitting = frames.filter(fits)
    let covering = isLast ? fitting.filter { once & ~mentions(of: $0) == 0 } : fitting
    let candidates = covering.isEmpty ? fitting : covering
    let frame = candidates[draw(below: candidates.count)]
    recordMentions(of: frame)
    sentences.append([frame] + clauses)
  }

  private func mentions(of production: Int) -> UInt64 {
    grammar.productions[production].introduces | grammar.productions[production].refers
  }

  private func fits(_ index: Int) -> Bool {
    let production = grammar.productions[index]
    return scope.isUsed[index] && production.introduces & known == 0
      && production.refers & ~(known | production.introduces) == 0
  }

  private mutating func recordMentions(of index: Int) {
    let production = grammar.productions[index]
    let mentioned = mentions(of: index) & Self.recurring
    let first = mentioned & ~known
    once = (once & ~mentioned) | first
    known |= production.introduces
    if production.travels { once |= StoryVariable.place.bit }
  }
}

// Choosing the values, then the words.
extension StoryWriter {
  private mutating func drawValues() {
    var requirements = sentences.joined().flatMap { grammar.productions[$0].requirements }
    let travels = sentences.contains { grammar.productions[$0[0]].travels }
    for variable in StoryVariable.allCases where known & variable.bit != 0 {
      switch variable {
      case .heroPronoun, .friendPronoun:
        let bearer: StoryVariable = variable == .heroPronoun ? .hero : .friend
        let flags = grammar.entries(of: bearer)[values[bearer.rawValue]].flags
        let pronouns = grammar.entries(of: variable)
        values[variable.rawValue] = pronouns.firstIndex { $0.flags == flags } ?? -1
      case .place where travels:
        // The requirements on the place apply to the destination, where the problem occurs.
        destination = draw(.place, requirements, except: -1)
        values[variable.rawValue] = draw(.place, [], except: destination)
      case .friend:
        values[variable.rawValue] = draw(.friend, [], except: values[StoryVariable.hero.rawValue])
      default:
        if let (other, mask) = variable.setting {
          let value = other == .place && travels ? destination : values[other.rawValue]
          requirements.append(
            Requirement(
              variable: variable, any: grammar.entries(of: other)[value].flags.intersection(mask)))
        }
        values[variable.rawValue] = draw(variable, requirements, except: -1)
      }
    }
  }

  // Draws until an entry fits; at least one entry in twenty does.
  private mutating func draw(
    _ variable: StoryVariable, _ requirements: [Requirement], except taken: Int
  ) -> Int {
    let entries = grammar.entries(of: variable)
    let candidates = scope.entries[variable.domain.rawValue]
    let mine = requirements.filter { $0.variable == variable }
    for _ in 0..<10_000 {
      let value = candidates[
        scope.isUneven ? drawUneven(below: candidates.count) : draw(below: candidates.count)]
      if value != taken, mine.allSatisfy({ $0.isMet(by: entries[value].flags) }) { return value }
    }
    preconditionFailure("the lexicon has no \(variable) that meets \(mine)")
  }

  // Entry r in the order of frequency is about r^(-2/3) times as frequent as the first. The stride
  // spreads the frequent entries over the groups of a table.
  private mutating func drawUneven(below count: Int) -> Int {
    let uniform = random.next() >> 32
    let cubed = (((uniform * uniform) >> 32) * uniform) >> 32
    let rank = Int((cubed * UInt64(count)) >> 32)
    return rank * 7919 % count
  }

  private mutating func phrase(
    _ productions: [Int]
  ) -> (tokens: [StoryVocabulary.Token], parse: Parse) {
    var tokens: [StoryVocabulary.Token] = []
    var parse = Parse(productions: productions)
    var clauses = productions.dropFirst()
    phrase(productions[0], &clauses, &tokens, &parse)
    if grammar.productions[productions[0]].travels {
      values[StoryVariable.place.rawValue] = destination
    }
    return (tokens, parse)
  }

  private mutating func phrase(
    _ index: Int, _ clauses: inout ArraySlice<Int>, _ tokens: inout [StoryVocabulary.Token],
    _ parse: inout Parse
  ) {
    for element in grammar.productions[index].elements {
      switch element {
      case .word(let token): tokens.append(token)
      case .clause: phrase(clauses.removeFirst(), &clauses, &tokens, &parse)
      case .slot(let slot):
        let value: Int
        if slot.variable.isFree {
          let candidates = scope.entries[slot.variable.domain.rawValue]
          value = candidates[draw(below: candidates.count)]
        } else {
          value = slot.role == .moves ? destination : values[slot.variable.rawValue]
        }
        tokens += grammar.forms[slot.variable.domain.rawValue][value][slot.form]
        parse.mentions.append(Parse.Mention(slot: slot, value: value))
      }
    }
  }
}
