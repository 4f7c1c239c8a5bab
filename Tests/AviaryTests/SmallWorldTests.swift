import RandomNumbers
import Testing

@testable import Aviary

/// The first 6,000 stories of the small world under one seed, shared by all suites.
let smallCorpus: [Story] = {
  let aviary = Aviary(seed: 11, size: .small)
  return (0..<6_000).map { aviary.story(at: $0) }
}()

@Suite struct SmallWorldTests {
  @Test func storiesOfTheSmallWorldAreParsedWithTheirFacts() {
    let checker = StoryChecker()
    let misread = smallCorpus.filter { checker.check($0.text) != .consistent($0.facts) }
    #expect(misread.isEmpty, "\(misread.count) misread, first \(String(describing: misread.first))")
    #expect(Set(smallCorpus.map(\.text)).count > smallCorpus.count * 99 / 100)
  }

  @Test func theSmallWorldHasFewWordsAndShortStoriesAboutBirds() {
    var vocabulary: Set<String> = []
    var lengths: Set<Int> = []
    for story in smallCorpus {
      for word in words(of: story.text) { vocabulary.insert(word.lowercased()) }
      lengths.insert(StoryChecker.sentences(of: Array(story.text.utf8)[...]).count)
    }
    #expect((300...500).contains(vocabulary.count), "\(vocabulary.count) words")
    #expect(lengths == [3, 4, 5])
    let birds = Grammar.world.lexicon[.kind].filter { $0.flags.names.contains("bird") }
    let kinds = Set(smallCorpus.flatMap { [$0.facts.protagonist.kind, $0.facts.companion?.kind] })
    #expect(kinds.subtracting([nil]).isSubset(of: birds.map { $0.forms[0] }))
  }

  @Test func allPairsOfProblemAndOutcomeAreAboutEquallyFrequent() {
    var counts: [String: Int] = [:]
    for story in smallCorpus {
      counts["\(story.facts.problem) \(story.facts.outcome)", default: 0] += 1
    }
    #expect(counts.count == 6 * 4)
    #expect(counts.values.allSatisfy { (180...320).contains($0) }, "\(counts)")
  }

  /// Therefore no instruction reveals the ending.
  @Test func aboutHalfOfTheEndingsAreKindForEveryProblemPlaceTimeAndKind() {
    var counts: [String: (kind: Int, all: Int)] = [:]
    for story in smallCorpus {
      let facts = story.facts
      for fact in [facts.problem.rawValue, facts.place, facts.time, facts.protagonist.kind] {
        counts[fact, default: (0, 0)].kind += facts.outcome.isKind ? 1 : 0
        counts[fact, default: (0, 0)].all += 1
      }
    }
    #expect(counts.count == 6 + 8 + 4 + 8)
    for (fact, count) in counts.sorted(by: { $0.key < $1.key }) {
      #expect(count.all > 100, "\(fact): \(count)")
      let fraction = Double(count.kind) / Double(count.all)
      #expect(fraction > 0.35 && fraction < 0.65, "\(fact): \(count)")
    }
  }

  @Test func worldsAreFoundByTheNameOfTheirSource() {
    #expect(Aviary(sources: ["aviary"], seed: 3)?.text(at: 5) == Aviary(seed: 3).text(at: 5))
    #expect(
      Aviary(sources: ["aviary-small"], seed: 11)?.text(at: 5) == smallCorpus[5].text)
    #expect(Aviary(sources: ["aviary.txt"], seed: 3) == nil)
    #expect(Aviary(sources: ["aviary", "aviary"], seed: 3) == nil)
  }

  // Golden text, as for the full world.
  @Test func storyZeroOfSeedZeroIsUnchanged() {
    #expect(
      Aviary(seed: 0, size: .small).text(at: 0)
        == """
        Lena was a proud penguin with a blue ball. On a windy summer day, she was in the village \
        with her friend Ben, a robin, when a hungry weasel grabbed Lena's blue ball and ran off. \
        At the end of that windy summer day in the village, Ben quickly talked to the hungry \
        weasel, and it gave the ball back, so the hungry weasel said sorry, and Lena shared the \
        blue ball with Ben.
        """)
  }
}
