import RandomNumbers

/// A request for a story: who it is about, where, when, and what goes wrong.
///
/// How the story ends, and whether anybody else is in it, is left to the writer.
public struct Instruction: Hashable, Sendable {
  /// One to four sentences of English in ASCII.
  public let text: String
  /// What the text names.
  public let facts: NamedFacts

  /// The request for `facts`, in words drawn from `random`.
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

  /// The instruction that `text` is; nil where it is none of the world's.
  ///
  /// White space at both ends does not matter.
  public init?(_ text: String) {
    var words = Substring(text)
    while words.first?.isWhitespace == true { words.removeFirst() }
    while words.last?.isWhitespace == true { words.removeLast() }
    let facts = Phrasing.all.lazy.compactMap { Phrasing.read(words.utf8, as: $0[...]) }.first
    guard let facts else { return nil }
    (self.text, self.facts) = (String(words), facts)
  }
}

extension Aviary {
  /// An instruction that the story at `index` follows.
  public func instruction(at index: Int) -> Instruction {
    var random = RandomSequence(RandomStream(seed: seed, purpose: .aviary, index, 1))
    return Instruction(for: story(at: index).facts, &random)
  }

  /// Held-out instruction `index`, counted from 0: the one for the story at −1 − `index`.
  public func heldOutInstruction(at index: Int) -> Instruction {
    precondition(index >= 0, "held-out instructions are counted from 0, not \(index)")
    return instruction(at: -1 - index)
  }
}
