// "A small written world: stories, and whether their facts hold. Text only."

import RandomNumbers

/// An unlimited row of short stories, each a pure function of the seed and its index.
///
/// Goals, in order: every story is consistent (who, where, weather, what happened and how it
/// ended), and `StoryChecker` can tell from the text alone; the same seed and index give the same
/// text on every machine; a model of a million parameters can learn to write such stories within
/// minutes. Given up for that: rich language. All texts are ASCII.
///
/// Stories at negative indices are held out by convention: `opening(at:)` takes its prompts there,
/// and a training set should be `documents(count:)`.
public struct Aviary: Sendable {
  /// The seed; two aviaries with different seeds share stories only by chance.
  public let seed: UInt64
  /// How much of the world the stories use.
  public let size: Size
  private let grammar = Grammar.world
  private let scope: Scope

  /// The world's stories under `seed`.
  public init(seed: UInt64, size: Size = .full) {
    self.seed = seed
    self.size = size
    scope = size.scope
  }

  /// The world that `sources` names, `aviary` or `aviary-small`; nil where it names anything else.
  public init?(sources: [String], seed: UInt64) {
    guard let size = Size.allCases.first(where: { [$0.source] == sources }) else { return nil }
    self.init(seed: seed, size: size)
  }

  /// The story at `index`, which may be any integer.
  public func story(at index: Int) -> Story {
    var ledger = Ledger(grammar)
    let sentences = write(index)
    for sentence in sentences {
      let clashes = ledger.tell(sentence.reading)
      precondition(clashes.isEmpty, "story \(index) of seed \(seed) contradicts itself: \(clashes)")
    }
    guard let facts = ledger.facts else {
      preconditionFailure("story \(index) of seed \(seed) leaves out a fact")
    }
    return Story(text: spell(sentences), facts: facts)
  }

  /// The text of the story at `index`, at about half the cost of the story.
  public func text(at index: Int) -> String {
    spell(write(index))
  }

  /// The texts of the stories `0..<count`, each written when it is asked for.
  public func documents(count: Int) -> LazyMapSequence<Range<Int>, String> {
    (0..<count).lazy.map { text(at: $0) }
  }

  /// The first sentence of held-out story `index`, without the space that follows it.
  ///
  /// The story is the one at −1 − `index`; `index` counts from 0.
  public func opening(at index: Int) -> String {
    precondition(index >= 0, "openings are counted from 0, not \(index)")
    return spell(Array(write(-1 - index).prefix(1)))
  }

  private typealias Sentence = (tokens: [Vocabulary.Token], reading: Reading)

  private func write(_ index: Int) -> [Sentence] {
    var writer = StoryWriter(grammar, scope, RandomStream(seed: seed, purpose: .aviary, index))
    return writer.write()
  }

  private func spell(_ sentences: [Sentence]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(512)
    for sentence in sentences {
      if !text.isEmpty { text.append(UInt8(ascii: " ")) }
      grammar.vocabulary.spell(sentence.tokens, into: &text)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
