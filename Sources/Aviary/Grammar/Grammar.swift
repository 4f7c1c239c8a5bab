/// The grammar of the world's sentences, used both to write stories and to parse them.
///
/// The source of the grammar is text with one production per line:
/// ```
/// day+problem: one {+weather} {+time} {+at}, {problem}.
/// event helped friend+fly: {friend} flew up to the {height} and brought the {object} down
/// ```
/// The part before the colon begins with the symbol. It is either a sentence, written as its stages
/// joined by `+`, or, in the block of a problem, one of the clauses `problem`, `event` and
/// `ending`, or the sentence `attempt`. The outcomes that remain possible follow (all outcomes if
/// none is named), then the requirements (`Requirement.init`). Two kinds of line in a problem's
/// block are not productions: the requirements of `premise` apply to each of its problem clauses,
/// and those of `helpless` to its attempts and to the events in which the protagonist does not
/// manage alone.
struct Grammar: Sendable {
  static let world = Grammar()

  let lexicon = Lexicon()
  private(set) var vocabulary = StoryVocabulary()
  private(set) var productions: [Production] = []
  /// Tokens of each form of each entry of each domain: `forms[domain][entry][form]`.
  private(set) var forms: [[[[StoryVocabulary.Token]]]] = []

  // For writing.
  /// The ways to divide a story into sentences, by `planIndex`, then by length.
  private(set) var plans: [[[Plan]]] = []
  // The productions of a symbol for a problem and an outcome, at index problem × 4 + outcome.
  private var uses: [Symbol: [[Int]]] = [:]

  // For parsing.
  private(set) var network = Network()
  // The entries whose form begins with a token, with that form: `beginnings[domain][form][token]`.
  private var beginnings:
    [[[StoryVocabulary.Token: [(value: Int, form: [StoryVocabulary.Token])]]]] = []

  private init() {
    for domain in Lexicon.Domain.allCases {
      forms.append(
        lexicon[domain].map { entry in
          entry.forms.map { vocabulary.addTokens(of: $0, isPattern: false) }
        })
    }
    read(Self.frames.split(separator: "\n"), problem: nil)
    let texts = sections(of: [Self.losses, Self.needs, Self.ways])
    for problem in Problem.allCases {
      read(texts["\(problem)"] ?? [], problem: problem)
      if problem.losesObject { read(Self.lossEndings.split(separator: "\n"), problem: problem) }
    }
    indexForWriting()
    indexForParsing()
  }

  /// Returns the entries of the lexicon that are values of `variable`.
  func entries(of variable: StoryVariable) -> [Lexicon.Entry] { lexicon[variable.domain] }

  /// Returns the indices of the productions of `symbol` in a story with `problem` and `outcome`.
  func productions(of symbol: Symbol, _ problem: Int, _ outcome: Outcome) -> [Int] {
    uses[symbol]?[problem * 4 + outcome.index] ?? []
  }

  /// Returns the entries whose form in `slot` begins with `token`, with all tokens of that form.
  func entries(
    inFormOf slot: Slot, beginningWith token: StoryVocabulary.Token
  ) -> [(value: Int, form: [StoryVocabulary.Token])] {
    beginnings[slot.variable.domain.rawValue][slot.form][token] ?? []
  }

  /// Returns the index in `plans` of stories with these stages.
  static func planIndex(object: Bool, friend: Bool, attempt: Bool) -> Int {
    (object ? 4 : 0) + (friend ? 2 : 0) + (attempt ? 1 : 0)
  }
}

// Parsing the source of the grammar.
extension Grammar {
  private mutating func read(_ lines: [Substring], problem: Problem?) {
    precondition(!lines.isEmpty, "the grammar has no lines of \(problem.map { "\($0)" } ?? "all")")
    var premise: [Requirement] = []
    var helpless: [Requirement] = []
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      var header = parts[0].split(separator: " ")[...]
      precondition(parts.count == 2 && !header.isEmpty, "not a production: '\(line)'")
      let key = header.removeFirst()
      if key == "premise" || key == "helpless" {
        let requirements = parts[1].split(separator: " ").map { Requirement($0) }
        if key == "premise" { premise = requirements } else { helpless = requirements }
        continue
      }
      let stages = key.split(separator: "+").map { StoryStage(named: $0) }
      let isSentence = problem == nil || stages == [.attempt]
      var production = Production(
        symbol: isSentence ? .sentence(stages) : .clause(stages[0]), problem: problem,
        elements: elements(of: parts[1]))
      for word in header {
        if let outcome = Outcome(rawValue: String(word)) {
          production.outcomes.insert(Outcomes(outcome))
        } else {
          production.requirements.append(Requirement(word))
        }
      }
      if production.outcomes.isEmpty { production.outcomes = .all }
      if key == "problem" { production.requirements += premise }
      if !helpless.isEmpty {
        if key == "attempt" { production.outcomes.remove(Outcomes(.managed)) }
        if key == "attempt" || (key == "event" && !production.outcomes.contains(Outcomes(.managed)))
        {
          production.requirements += helpless
        }
      }
      productions.append(production)
    }
  }

  private mutating func elements(of text: Substring) -> [Production.Element] {
    var elements: [Production.Element] = []
    var isQuoted = false
    for (index, part) in text.split(separator: "{", omittingEmptySubsequences: false).enumerated() {
      var words = part
      if index > 0 {
        guard let close = part.firstIndex(of: "}") else {
          preconditionFailure("no closing brace in '\(text)'")
        }
        let name = part[..<close]
        if ["problem", "event", "ending"].contains(name) {
          elements.append(.clause(StoryStage(named: name)))
        } else {
          elements.append(.slot(Slot(name)))
        }
        words = part[part.index(after: close)...]
      }
      for token in vocabulary.addTokens(of: String(words), isPattern: true) {
        // A quotation can hold slots, so quotes alternate over all the parts of the pattern.
        if token == StoryVocabulary.openQuote || token == StoryVocabulary.closeQuote {
          elements.append(.word(isQuoted ? StoryVocabulary.closeQuote : StoryVocabulary.openQuote))
          isQuoted.toggle()
        } else {
          elements.append(.word(token))
        }
      }
    }
    return elements
  }
}

// Indexes, so that writing and parsing consider only productions that can apply.
extension Grammar {
  private mutating func indexForWriting() {
    var sentences: [[StoryStage]] = []
    for (index, production) in productions.enumerated() {
      let symbol = production.symbol
      if case .sentence(let stages) = symbol, uses[symbol] == nil { sentences.append(stages) }
      for (p, problem) in Problem.allCases.enumerated()
      where production.problem == nil || production.problem == problem {
        for outcome in production.outcomes.members {
          uses[symbol, default: Array(repeating: [], count: Problem.allCases.count * 4)][
            p * 4 + outcome.index
          ].append(index)
        }
      }
    }
    for index in 0..<8 {
      plans.append(
        Plan.all(
          object: index & 4 != 0, friend: index & 2 != 0, attempt: index & 1 != 0, in: sentences))
    }
  }

  private mutating func indexForParsing() {
    for (index, production) in productions.enumerated() {
      network.insert(production, index: index)
    }
    beginnings = forms.map { entries in
      entries[0].indices.map { form in
        entries.indices.reduce(into: [:]) { table, value in
          let tokens = entries[value][form]
          table[tokens[0], default: []].append((value, tokens))
        }
      }
    }
  }
}
