/// The patterns of instructions and the words that fill their gaps.
enum Phrasing {
  enum Segment: Sendable {
    case words(String)
    case slot(Slot)
  }

  enum Slot: String, Sendable {
    case name, kind, akind, place, at, time, event

    /// The words that can fill the gap, with the facts that they name.
    var choices: [(text: String, facts: NamedFacts)] { Phrasing.choices[self] ?? [] }
  }

  /// All patterns of instructions.
  static let all: [[Segment]] = patterns.split(separator: "\n").map(segments)

  private static let patterns = """
    Write a story about {name} the {kind}. It happens {at} one {time} and is about {event}.
    Tell me a story about {event}. {name} is {akind}, and it happens one {time} {at}.
    I would like to read about {akind} named {name} who is {at} one {time}. It should be about {event}.
    Please write about {event}. Who: {name}, {akind}. Where: {place}. When: one {time}.
    What happened to {name} the {kind} {at} that {time}? Tell me about {event}.
    One {time}, {place}, {akind} called {name}, and {event}: make a story of it.
    """

  // These words differ from those of the stories, so that a model has to learn their meaning.
  private static func events(of problem: Problem) -> [String] {
    switch problem {
    case .stuck: ["a thing out of reach", "something high up"]
    case .sunk: ["a thing in the water", "something that sinks"]
    case .fallen: ["a thing in a hole", "something that drops down"]
    case .missing: ["a missing thing", "something that nobody can find"]
    case .stolen: ["a theft", "a thief"]
    case .broken: ["a broken thing", "something in pieces"]
    case .hungry: ["hunger", "an empty belly"]
    case .thirsty: ["thirst", "a dry throat"]
    case .cold: ["freezing", "a cold body"]
    case .lost: ["getting lost", "losing the way"]
    case .trapped: ["a trap", "being caught"]
    case .hurt: ["a wound", "getting hurt"]
    case .afraid: ["fear", "a fright"]
    case .bored: ["boredom", "having nothing to do"]
    case .blocked: ["a blocked way", "a barrier"]
    }
  }

  private static let choices: [Slot: [(text: String, facts: NamedFacts)]] = {
    let lexicon = Grammar.world.lexicon
    let kinds = lexicon[.kind].map { $0.forms[0] }
    return [
      .name: lexicon[.name].map { ($0.forms[0], NamedFacts(name: $0.forms[0])) },
      .kind: kinds.map { ($0, NamedFacts(kind: $0)) },
      .akind: kinds.map { kind in
        (("aeiou".contains(kind.prefix(1)) ? "an " : "a ") + kind, NamedFacts(kind: kind))
      },
      .place: lexicon[.place].map { ($0.forms[0], NamedFacts(place: $0.forms[0])) },
      .at: lexicon[.place].map { ($0.forms[1], NamedFacts(place: $0.forms[0])) },
      .time: lexicon[.time].map { ($0.forms[0], NamedFacts(time: $0.forms[0])) },
      .event: Problem.allCases.flatMap { problem in
        events(of: problem).map { ($0, NamedFacts(problem: problem)) }
      },
    ]
  }()

  private static func segments(of pattern: Substring) -> [Segment] {
    pattern.split(separator: "{", omittingEmptySubsequences: false).enumerated().flatMap {
      index, part -> [Segment] in
      if index == 0 { return part.isEmpty ? [] : [.words(String(part))] }
      let pieces = part.split(separator: "}", maxSplits: 1, omittingEmptySubsequences: false)
      guard pieces.count == 2, let slot = Slot(rawValue: String(pieces[0])) else {
        preconditionFailure("the instruction '\(pattern)' has no gap '\(part)'")
      }
      return [.slot(slot), .words(String(pieces[1]))]
    }
  }

  /// Returns the facts that `text` names when it matches `segments`; nil when it does not.
  static func read(_ text: Substring.UTF8View, as segments: ArraySlice<Segment>) -> NamedFacts? {
    guard let segment = segments.first else { return text.isEmpty ? NamedFacts() : nil }
    let choices: [(text: String, facts: NamedFacts)] =
      switch segment {
      case .words(let words): [(words, NamedFacts())]
      case .slot(let slot): slot.choices
      }
    for choice in choices where text.starts(with: choice.text.utf8) {
      let rest = text.dropFirst(choice.text.utf8.count)
      if let facts = read(rest, as: segments.dropFirst()) { return facts.merging(choice.facts) }
    }
    return nil
  }
}

extension NamedFacts {
  fileprivate func merging(_ other: NamedFacts) -> NamedFacts {
    NamedFacts(
      name: name ?? other.name, kind: kind ?? other.kind, place: place ?? other.place,
      time: time ?? other.time, problem: problem ?? other.problem)
  }
}
