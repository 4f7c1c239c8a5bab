// "A small simulated world: writes stories and checks their facts. Text only."

import RandomNumbers

/// An unlimited sequence of short stories, each a pure function of the seed and its index.
///
/// Goals, in this order:
///
/// 1. Every story is consistent in its characters, place, weather, events and ending, and
///    `StoryChecker` verifies this from the text alone.
/// 2. The same seed and index give the same text on every machine.
/// 3. A model of a million parameters learns to write such stories within minutes.
///
/// The language is plain for that reason. All texts are ASCII.
///
/// By convention, stories at negative indices are held out; a training set should be
/// `documents(count:)`.
package struct Aviary: Sendable {
  /// The seed; two aviaries with different seeds share stories only by chance.
  package let seed: UInt64
  /// The part of the world that the stories use.
  package let size: Size
  private let grammar = Grammar.world
  private let scope: StoryScope

  package init(seed: UInt64, size: Size = .full) {
    self.seed = seed
    self.size = size
    scope = size.scope
  }

  /// Creates the world that `sources` names: `aviary` or `aviary-small`; nil for other sources.
  package init?(sources: [String], seed: UInt64) {
    guard let size = Size.allCases.first(where: { [$0.source] == sources }) else { return nil }
    self.init(seed: seed, size: size)
  }

  /// Returns the story at `index`, which can be any integer.
  package func story(at index: Int) -> Story {
    var ledger = Ledger(grammar)
    let sentences = write(index)
    for sentence in sentences {
      let clashes = ledger.record(sentence.parse)
      precondition(clashes.isEmpty, "story \(index) of seed \(seed) contradicts itself: \(clashes)")
    }
    guard let facts = ledger.facts else {
      preconditionFailure("story \(index) of seed \(seed) does not state every fact")
    }
    return Story(text: spell(sentences), facts: facts)
  }

  /// Returns the text of the story at `index`, in about half the time of `story(at:)`.
  package func text(at index: Int) -> String {
    spell(write(index))
  }

  /// Returns the texts of stories `0..<count`, each written when it is read.
  package func documents(count: Int) -> LazyMapSequence<Range<Int>, String> {
    (0..<count).lazy.map { text(at: $0) }
  }

  private typealias Sentence = (tokens: [StoryVocabulary.Token], parse: Parse)

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
