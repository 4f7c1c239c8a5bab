/// The tables of the world's words, one per domain.
///
/// A table is text after a line with the name of its domain. Each line, `flags: entry, entry, …`, is a
/// group of entries with the same flags. An entry is one or more forms separated by `/`, in the order
/// in which `Slot.named` numbers them:
/// ```
/// weather
/// cold: snowy/in the snow/the snow fell, frosty/in the frost/the frost sparkled
/// ```
struct Lexicon: Sendable {
  struct Entry: Sendable {
    var forms: [String]
    var flags: Flags
  }

  enum Domain: Int, CaseIterable, Sendable {
    case name, kind, trait, pronoun, home, giver, place, weather, time, object, colour, height
    case water, nook, hole, thief, repair, food, drink, clothing, landmark, trap, limb, remedy
    case fear, song, game, barrier, crossing, glad, sad, manner
  }

  /// The entries of each domain, indexed by `Domain.rawValue`.
  let tables: [[Entry]]

  init() {
    let texts = sections(of: [Self.characters, Self.surroundings, Self.things])
    tables = Domain.allCases.map { Self.entries(of: texts["\($0)"] ?? [], in: $0) }
  }

  subscript(domain: Domain) -> [Entry] { tables[domain.rawValue] }

  private static func entries(of lines: [Substring], in domain: Domain) -> [Entry] {
    var entries: [Entry] = []
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
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
    precondition(!entries.isEmpty, "the lexicon has no table '\(domain)'")
    precondition(
      entries.allSatisfy { $0.forms.count == entries[0].forms.count },
      "\(domain): the entries differ in their number of forms")
    return entries
  }
}

/// Returns the lines of every section of `texts`, in which a line without a colon is the name of the
/// section that follows.
func sections(of texts: [String]) -> [Substring: [Substring]] {
  var sections: [Substring: [Substring]] = [:]
  var name: Substring = ""
  for line in texts.joined(separator: "\n").split(separator: "\n") {
    if line.contains(":") { sections[name, default: []].append(line) } else { name = line }
  }
  return sections
}

extension CaseIterable {
  /// The case called `name`.
  init(named name: Substring) {
    guard let found = Self.allCases.first(where: { "\($0)" == name }) else {
      preconditionFailure("\(Self.self) has no case '\(name)'")
    }
    self = found
  }
}
