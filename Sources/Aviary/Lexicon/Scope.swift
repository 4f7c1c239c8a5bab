/// How much of the world an aviary writes of; readers know all of it.
public enum Size: String, CaseIterable, Sendable {
  /// All of it: some 1,500 words and 15 problems in three to eight sentences.
  case full
  /// Birds, a quarter of the words and six problems, in three to five sentences.
  ///
  /// A model of a million parameters learns it in minutes. Whoever the story is about, wherever
  /// and whenever it happens, each problem can come out in every way.
  case small

  /// Its name among sources of text.
  public var source: String { self == .full ? "aviary" : "aviary-small" }

  var scope: Scope { self == .full ? .full : .small }
}

/// The entries, problems, productions and plans that a writer draws from.
struct Scope: Sendable {
  /// The indices of the entries of each domain, at `Domain.rawValue`.
  let entries: [[Int]]
  /// The indices of the problems.
  let problems: [Int]
  /// Whether a production is used, at its index.
  let isUsed: [Bool]
  /// The ways to cut a story into sentences, by `Grammar.planIndex`, then by length.
  let plans: [[[Plan]]]
  /// Whether a few entries of each table are common and most are rare, as in real text.
  let isUneven: Bool

  static let full = Scope(
    entries: Grammar.world.lexicon.tables.map { Array($0.indices) },
    problems: Array(Problem.allCases.indices),
    isUsed: Grammar.world.productions.map { _ in true }, plans: Grammar.world.plans, isUneven: true)

  /// What a small model learns soon, and all of what it writes can be true.
  ///
  /// The problems ask for no ability, weather or place, so that none decides what came of it. The
  /// weather keeps one form, and all entries are equally common: a fact that is mentioned again is
  /// then copied from where it was stated, not guessed.
  static let small = Scope(
    entries: Lexicon.Domain.allCases.map(smallEntries),
    problems: Problem.allCases.indices.filter {
      [.missing, .stolen, .hungry, .lost, .trapped, .afraid].contains(Problem.allCases[$0])
    },
    isUsed: Grammar.world.productions.map { production in
      !production.elements.contains {
        if case .slot(let slot) = $0 { slot.variable == .weather && slot.form > 0 } else { false }
      }
    },
    plans: Grammar.world.plans.map { lengths in
      lengths.map { plans in
        plans.filter { (3...5).contains($0.sentences.count) && !$0.sentences.contains([.travel]) }
      }.filter { !$0.isEmpty }
    },
    isUneven: false)

  private static func smallEntries(of domain: Lexicon.Domain) -> [Int] {
    let entries = Grammar.world.lexicon[domain]
    let words = Lexicon.small.filter { $0.domain == domain }.flatMap(\.words)
    return words.isEmpty
      ? Array(entries.indices)
      : words.map { word in
        guard let index = entries.firstIndex(where: { $0.forms[0] == word }) else {
          preconditionFailure("\(domain): the lexicon has no '\(word)'")
        }
        return index
      }
  }
}
