import RandomNumbers
import Testing

@testable import Aviary

/// A change to a story's text that makes one of its facts inconsistent, or breaks its form.
enum Mutation: CaseIterable {
  case name, companion, colour, object, weather, place, pronoun, ending
  case firstSentence, shuffledSentences, truncation, wordSalad

  /// Returns the mutated text; nil when the mutation does not apply to the story.
  func apply(to story: Story, _ random: inout RandomSequence) -> String? {
    let facts = story.facts
    let text = Array(story.text.utf8)
    switch self {
    case .name: return Self.swap(.hero, facts.protagonist.name, in: text, &random)
    case .companion:
      return facts.companion.flatMap { Self.swap(.friend, $0.name, in: text, &random) }
    case .colour: return facts.colour.flatMap { Self.swap(.colour, $0, in: text, &random) }
    case .object: return facts.object.flatMap { Self.swap(.object, $0, in: text, &random) }
    case .weather: return Self.swap(.weather, facts.weather, in: text, &random)
    case .place: return Self.swap(.place, facts.place, in: text, &random)
    case .pronoun: return Self.swapPronoun(in: text, &random)
    case .ending: return Self.swapEnding(of: story, &random)
    case .firstSentence:
      return Self.join(StoryChecker.sentences(of: text[...]).dropFirst())
    case .shuffledSentences:
      let sentences = StoryChecker.sentences(of: text[...])
      let shuffled = sentences.shuffled(using: &random)
      return shuffled == sentences ? nil : Self.join(shuffled[...])
    case .truncation:
      let length = Int(random.next() % UInt64(text.count - 1)) + 1
      return text[length - 1] == UInt8(ascii: ".")
        ? nil : String(decoding: text[..<length], as: UTF8.self)
    case .wordSalad:
      return story.text.split(separator: " ").shuffled(using: &random).joined(separator: " ")
    }
  }

  // Replaces one mention of a value, in any of its forms, by another value.
  private static func swap(
    _ variable: StoryVariable, _ value: String, in text: [UInt8], _ random: inout RandomSequence
  ) -> String? {
    let entries = Grammar.world.entries(of: variable)
    guard let entry = entries.first(where: { $0.forms[0] == value }),
      let other = entries.filter({ $0.forms[0] != value }).randomElement(using: &random)
    else { return nil }
    let places = entry.forms.indices.flatMap { form in
      occurrences(of: entry.forms[form], in: text).map { (form, $0) }
    }
    guard let (form, range) = places.randomElement(using: &random),
      other.forms[form] != entry.forms[form]
    else { return nil }
    return replace(range, in: text, by: other.forms[form])
  }

  private static func swapPronoun(in text: [UInt8], _ random: inout RandomSequence) -> String? {
    let pairs = [
      ("he", "she"), ("she", "he"), ("his", "her"), ("her", "his"), ("him", "her"),
      ("himself", "herself"), ("herself", "himself"),
    ]
    let places = pairs.flatMap { old, new in
      occurrences(of: old, in: text).map { ($0, new) }
    }
    return places.randomElement(using: &random).map { replace($0.0, in: text, by: $0.1) }
  }

  // The ending of a story that came out otherwise, retold with this story's names and things.
  private static func swapEnding(of story: Story, _ random: inout RandomSequence) -> String? {
    let facts = story.facts
    let others = corpus.dropFirst(Int(random.next() % 19_000)).prefix(400)
    guard
      let other = others.first(where: {
        $0.facts.protagonist.pronoun == facts.protagonist.pronoun
          && ($0.facts.outcome != facts.outcome
            || ($0.facts.problem != facts.problem
              && !($0.facts.problem.losesObject && facts.problem.losesObject)))
      })
    else { return nil }
    let sentences = StoryChecker.sentences(of: Array(story.text.utf8)[...])
    var ending = Array(StoryChecker.sentences(of: Array(other.text.utf8)[...]).last ?? [])
    let pairs: [(StoryVariable, String?, String?)] = [
      (.hero, other.facts.protagonist.name, facts.protagonist.name),
      (.friend, other.facts.companion?.name, facts.companion?.name),
      (.place, other.facts.place, facts.place), (.weather, other.facts.weather, facts.weather),
      (.time, other.facts.time, facts.time), (.object, other.facts.object, facts.object),
      (.colour, other.facts.colour, facts.colour),
    ]
    for (variable, old, new) in pairs {
      let entries = Grammar.world.entries(of: variable)
      guard let old = entries.first(where: { $0.forms[0] == old }),
        let new = entries.first(where: { $0.forms[0] == new })
      else { continue }
      for form in old.forms.indices {
        for range in occurrences(of: old.forms[form], in: ending).reversed() {
          ending = Array(replace(range, in: ending, by: new.forms[form]).utf8)
        }
      }
    }
    return join(sentences.dropLast()) + " " + String(decoding: ending, as: UTF8.self)
  }

  private static func replace(_ range: Range<Int>, in text: [UInt8], by new: String) -> String {
    var replacement = Array(new.utf8)
    let isCapital = text[range.lowerBound] < UInt8(ascii: "a")
    if isCapital, replacement[0] >= UInt8(ascii: "a") { replacement[0] -= 32 }
    var result = text
    result.replaceSubrange(range, with: replacement)
    return String(decoding: result, as: UTF8.self)
  }

  private static func join(_ sentences: ArraySlice<ArraySlice<UInt8>>) -> String {
    sentences.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
  }
}

@Suite struct MutationTests {
  @Test(arguments: Mutation.allCases)
  func almostEveryMutationIsCaught(_ mutation: Mutation) {
    let checker = StoryChecker()
    var random = RandomSequence(RandomStream(seed: 3, purpose: .probe, 1))
    var missed: [String] = []
    var tried = 0
    for story in corpus.prefix(800) {
      guard let text = mutation.apply(to: story, &random), text != story.text else { continue }
      tried += 1
      if case .consistent = checker.check(text) { missed.append(text) }
    }
    #expect(tried > 300, "only \(tried) stories could be mutated")
    #expect(missed.count * 100 <= tried, "\(missed.count) of \(tried) missed: \(missed.prefix(3))")
  }
}
