/// The tables of the world's words, one per domain.
///
/// A table is text. Each line, `flags: entry, entry, …`, is a group of entries with the same flags.
/// An entry is one or more forms separated by `/`, in the order in which `Slot.named` numbers them:
/// ```
/// cold: snowy/in the snow/the snow fell, frosty/in the frost/the frost sparkled
/// ```
struct Lexicon: Sendable {
  struct Entry: Sendable {
    var forms: [String]
    var flags: Flags
  }

  enum Domain: Int, CaseIterable, Sendable {
    case names, kinds, traits, pronouns, homes, givers, places, weathers, times, objects, colours
    case heights, waters, nooks, holes, thieves, repairs, foods, drinks, clothes, landmarks, traps
    case limbs, remedies, fears, songs, games, barriers, crossings, glad, sad, manners
  }

  /// The entries of each domain, indexed by `Domain.rawValue`.
  let tables: [[Entry]]

  init() {
    tables = Domain.allCases.map { Self.entries(of: Self.text(of: $0), in: $0) }
  }

  subscript(domain: Domain) -> [Entry] { tables[domain.rawValue] }

  private static func entries(of text: String, in domain: Domain) -> [Entry] {
    var entries: [Entry] = []
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      precondition(parts.count == 2, "\(domain): the line '\(line)' has no colon")
      let flags = parts[0].split(separator: " ").reduce(into: Flags()) {
        $0.insert(Flags(named: $1))
      }
      for entry in parts[1].split(separator: ",") {
        let forms = entry.split(separator: "/").map {
          $0.split(separator: " ").joined(separator: " ")
        }
        entries.append(Entry(forms: forms, flags: flags))
      }
    }
    precondition(
      Set(entries.map { $0.forms[0] }).count == entries.count, "\(domain): an entry occurs twice")
    precondition(
      entries.allSatisfy { $0.forms.count == entries[0].forms.count },
      "\(domain): the entries differ in their number of forms")
    return entries
  }

  private static func text(of domain: Domain) -> String {
    switch domain {
    case .names: names
    case .kinds: kinds
    case .traits: traits
    case .pronouns: "he: he/him/his/himself\nshe: she/her/her/herself"
    case .homes: homes
    case .givers: givers
    case .places: places
    case .weathers: weathers
    case .times: times
    case .objects: objects
    case .colours: colours
    case .heights: heights
    case .waters: waters
    case .nooks: nooks
    case .holes: holes
    case .thieves: thieves
    case .repairs: repairs
    case .foods: foods
    case .drinks: drinks
    case .clothes: clothes
    case .landmarks: landmarks
    case .traps: traps
    case .limbs: limbs
    case .remedies: remedies
    case .fears: fears
    case .songs: songs
    case .games: games
    case .barriers: barriers
    case .crossings: crossings
    case .glad: glad
    case .sad: sad
    case .manners: manners
    }
  }
}
