import RandomNumbers
import Testing

@testable import Aviary

/// The first 20,000 stories of one seed, shared by all suites.
let corpus: [Story] = {
  let aviary = Aviary(seed: 11)
  return (0..<20_000).map { aviary.story(at: $0) }
}()

func words(of text: String) -> [Substring] {
  text.utf8.split { byte in
    let isLetter = (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
    return !isLetter && byte != UInt8(ascii: "-")
  }.map { Substring($0) }
}

@Suite struct AviaryTests {
  @Test func allStoriesDiffer() {
    #expect(Set(corpus.map(\.text)).count == corpus.count)
  }

  @Test func storiesAreShortAsciiOfThreeToEightSentences() {
    var lengths = [Int](repeating: 0, count: 10)
    var bytes = 0
    let stories = corpus.prefix(6_000)
    for story in stories {
      let utf8 = Array(story.text.utf8)
      lengths[min(StoryChecker.sentences(of: utf8[...]).count, 9)] += 1
      bytes += utf8.count
    }
    #expect(lengths[0..<3] == [0, 0, 0] && lengths[9] == 0)
    #expect(lengths[3...8].allSatisfy { $0 > 300 }, "\(lengths)")
    let mean = Double(bytes) / Double(stories.count)
    let isASCII = corpus.allSatisfy { $0.text.utf8.count == $0.text.unicodeScalars.count }
    #expect(isASCII)
    #expect(mean > 300 && mean < 400, "mean length \(mean)")
  }

  @Test func theVocabularyHasOneToTwoThousandWords() {
    var vocabulary: Set<String> = []
    for story in corpus.prefix(8_000) {
      for word in words(of: story.text) { vocabulary.insert(word.lowercased()) }
    }
    #expect((1_000...2_000).contains(vocabulary.count), "\(vocabulary.count) words")
    // "An" occurs in the text but is stored as "a", and the possessive "s" is not stored as a word.
    let stored = Grammar.world.vocabulary.wordCount
    #expect(abs(vocabulary.count - stored) <= 5, "\(vocabulary.count) used of \(stored)")
  }

  @Test func allPairsOfProblemAndOutcomeAreAboutEquallyFrequent() {
    var counts: [String: Int] = [:]
    for story in corpus {
      counts["\(story.facts.problem) \(story.facts.outcome)", default: 0] += 1
    }
    let expected = corpus.count / (Problem.allCases.count * Outcome.allCases.count)
    #expect(counts.count == Problem.allCases.count * Outcome.allCases.count)
    for (pair, count) in counts.sorted(by: { $0.key < $1.key }) {
      #expect(abs(count - expected) < expected / 3, "\(pair): \(count) of about \(expected)")
    }
  }

  @Test func everyProductionOccursInAStory() {
    let grammar = Grammar.world
    var isUsed = [Bool](repeating: false, count: grammar.productions.count)
    for index in 0..<6_000 {
      let stream = RandomStream(seed: 2, purpose: .aviary, index)
      var writer = StoryWriter(grammar, .full, stream)
      for sentence in writer.write() {
        for production in sentence.parse.productions { isUsed[production] = true }
      }
    }
    let unused = isUsed.indices.filter { !isUsed[$0] }
    #expect(unused.isEmpty, "\(unused.map { grammar.productions[$0] })")
  }

  @Test func mainFactsAreMentionedAtLeastTwice() {
    for story in corpus.prefix(1_000) {
      let facts = story.facts
      let main: [(StoryVariable, String?)] = [
        (.hero, facts.protagonist.name), (.friend, facts.companion?.name), (.place, facts.place),
        (.weather, facts.weather), (.object, facts.object), (.colour, facts.colour),
      ]
      for (variable, value) in main where value != nil {
        let entry = Grammar.world.entries(of: variable).first { $0.forms[0] == value }
        let text = Array(story.text.utf8)
        let count = (entry?.forms ?? []).reduce(0) { $0 + occurrences(of: $1, in: text).count }
        #expect(count >= 2, "\(variable) in \(story.text)")
      }
    }
  }

  @Test func storiesAreAPureFunctionOfSeedAndIndex() {
    let aviary = Aviary(seed: 11)
    for index in [19_999, 0, 7, 12_345] {
      #expect(aviary.story(at: index) == corpus[index])
      #expect(aviary.text(at: index) == corpus[index].text)
      #expect(Aviary(seed: 12).text(at: index) != corpus[index].text)
    }
    let far = aviary.text(at: .max)
    #expect(far == aviary.text(at: .max) && far != aviary.text(at: .min))
    #expect(Array(aviary.documents(count: 3)) == corpus.prefix(3).map(\.text))
  }

  // Golden text: a change of the words or of the order of the draws would change every corpus, and
  // with it every published result.
  @Test func storyZeroOfSeedZeroIsUnchanged() {
    #expect(
      Aviary(seed: 0).text(at: 0)
        == """
        Diego was a patient potter with a red whistle. On a rainy morning, he was in \
        the valley with his friend Jacob, a wren, when a sly fox grabbed Diego's red \
        whistle and ran off. At the end of that rainy morning in the valley, Jacob \
        gently talked to the sly fox, and it gave the whistle back, so the sly fox said \
        sorry, and Diego shared the red whistle with Jacob.
        """)
  }
}

/// Returns the ranges where `phrase` occurs in `text` as whole words, ignoring the case of its
/// first letter.
func occurrences(of phrase: String, in text: [UInt8]) -> [Range<Int>] {
  let phrase = Array(phrase.utf8)
  func isLetter(_ index: Int) -> Bool {
    index >= 0 && index < text.count && text[index] | 0x20 >= UInt8(ascii: "a")
      && text[index] | 0x20 <= UInt8(ascii: "z")
  }
  var found: [Range<Int>] = []
  var start = 0
  while start + phrase.count <= text.count {
    if text[start] | 0x20 == phrase[0] | 0x20 {
      let end = start + phrase.count
      if text[start + 1..<end] == phrase[1...], !isLetter(start - 1), !isLetter(end) {
        found.append(start..<end)
      }
    }
    start += 1
  }
  return found
}
