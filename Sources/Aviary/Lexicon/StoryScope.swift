/// The part of the world from which an aviary writes.
///
/// `StoryChecker` accepts the whole world in all cases.
package enum Size: String, CaseIterable, Sendable {
  /// The whole world: about 1,500 words and 15 problems in three to eight sentences.
  case full
  /// Birds, a quarter of the words and six problems, in three to five sentences.
  ///
  /// A model of a million parameters learns it in minutes. Every problem can have every outcome,
  /// for all protagonists, places and times.
  case small

  /// The name of the world as a text source: `aviary` or `aviary-small`.
  package var source: String { self == .full ? "aviary" : "aviary-small" }

  var scope: StoryScope { self == .full ? .full : .small }
}

/// The entries, problems, productions and plans from which stories are drawn.
struct StoryScope: Sendable {
  /// Indices of the entries of each domain, indexed by `Domain.rawValue`.
  let entries: [[Int]]
  /// Indices of the problems in `Problem.allCases`.
  let problems: [Int]
  /// True at the index of each production that is used.
  let isUsed: [Bool]
  /// The ways to divide a story into sentences, by `Grammar.planIndex`, then by length.
  let plans: [[[Plan]]]
  /// True when a few entries of each table are common and most are rare, as in real text; false
  /// when all are equally likely.
  let isUneven: Bool

  static let full = StoryScope(
    entries: Grammar.world.lexicon.tables.map { Array($0.indices) },
    problems: Array(Problem.allCases.indices),
    isUsed: Grammar.world.productions.map { _ in true }, plans: Grammar.world.plans, isUneven: true)

  /// A part of the world that a small model learns quickly.
  ///
  /// The problems require no ability, weather or place, so none of these determines the outcome.
  /// The weather has one form and all entries are equally likely, so a model must copy a repeated
  /// fact from its first mention instead of guessing it.
  static let small = StoryScope(
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
