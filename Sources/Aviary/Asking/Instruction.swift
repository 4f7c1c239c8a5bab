import RandomNumbers

/// A request for a story with a given protagonist, place, time and problem.
///
/// It leaves open the ending and the companion.
package struct Instruction: Hashable, Sendable {
  /// One to four sentences of English in ASCII.
  package let text: String
  /// The facts that the text names.
  package let facts: NamedFacts

  /// Creates the request for `facts`, with a wording drawn from `random`.
  init(for facts: Facts, _ random: inout RandomSequence) {
    let named = NamedFacts(facts)
    var text = ""
    for segment in Phrasing.all.randomElement(using: &random) ?? [] {
      switch segment {
      case .words(let words): text += words
      case .slot(let slot):
        let fitting = slot.choices.filter { $0.facts.kept(in: named) == $0.facts.named }
        text += fitting.randomElement(using: &random)?.text ?? ""
      }
    }
    (self.text, self.facts) = (text, named)
  }

  /// Parses `text`; nil when it is not an instruction of the world.
  ///
  /// White space at both ends is ignored.
  package init?(_ text: String) {
    var words = Substring(text)
    while words.first?.isWhitespace == true { words.removeFirst() }
    while words.last?.isWhitespace == true { words.removeLast() }
    let facts = Phrasing.all.lazy.compactMap { Phrasing.read(words.utf8, as: $0[...]) }.first
    guard let facts else { return nil }
    (self.text, self.facts) = (String(words), facts)
  }
}

extension Aviary {
  /// Returns an instruction that the story at `index` follows.
  package func instruction(at index: Int) -> Instruction {
    var random = RandomSequence(RandomStream(seed: seed, purpose: .aviary, index, 1))
    return Instruction(for: story(at: index).facts, &random)
  }
}
