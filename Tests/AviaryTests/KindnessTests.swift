import RandomNumbers
import Testing

@testable import Aviary

@Suite struct KindnessTests {
  @Test func kindEndingsAreRecognisedFromTheTextAndAboutHalfAsFrequentAsStories() {
    for stories in [corpus.prefix(6_000), smallCorpus[...]] {
      let kind = stories.filter { Kindness.isKind($0.text) }
      #expect(kind.count * 100 > stories.count * 45 && kind.count * 100 < stories.count * 55)
      #expect(kind.allSatisfy { [.helped, .consoled].contains($0.facts.outcome) })
      #expect(
        stories.allSatisfy {
          Kindness.isKind($0.text) || [.managed, .failed].contains($0.facts.outcome)
        })
    }
  }

  @Test func theLastEndingDecides() {
    let story =
      "Mira was a shy owl. One rainy day, Mira and Tom the wren were in the forest when Mira got "
      + "lost. Mira got very hungry. "
    let kind = "Mira ate the nuts and thanked Tom."
    let unkind = "In the end, Mira stayed hungry and sad."
    #expect(Kindness.isKind(story + kind))
    #expect(!Kindness.isKind(story + unkind))
    #expect(!Kindness.isKind(story + kind + " " + unkind))
    #expect(Kindness.isKind(story + unkind + " " + kind))
    #expect(Kindness.isKind("So many. " + kind + " And then"))
    #expect(!Kindness.isKind(story))
    #expect(!Kindness.isKind(story + "Tom shared some nuts with Mira."))
    #expect(!Kindness.isKind(""))
    // The event belongs to an outcome without help, the ending to one with help.
    #expect(
      !Kindness.isKind(
        story + "At the farm, while the rain fell, Mira found a bag of nuts under the straw, so "
          + "Mira ate the nuts and thanked Tom."))
  }

  // The regular expression in the documentation of `Kindness`.
  private static let names =
    "Mira|Tom|Anna|Ben|Lena|Sam|Ella|Max"
  private static let expression =
    #"\b(\#(names))\b[^.]*\b(?!\1\b)(?:\#(names))\b[^.]*\.\s*$"#

  @Test func theDocumentedRegularExpressionAgrees() throws {
    let expression = try Regex(Self.expression)
    for story in smallCorpus.prefix(3_000) {
      #expect((story.text.firstMatch(of: expression) != nil) == story.facts.outcome.isKind)
    }
  }

  @Test func shuffledWordsAndOddTextsHaveNoKindEnding() {
    var random = RandomSequence(RandomStream(seed: 8, purpose: .probe, 0))
    let pieces = smallCorpus.prefix(300).flatMap { $0.text.split(separator: " ") }
    var kind = 0
    for _ in 0..<3_000 {
      let words = (0..<Int(random.next() % 60)).map { _ in
        pieces[Int(random.next() % UInt64(pieces.count))]
      }
      kind += Kindness.isKind(words.joined(separator: " ")) ? 1 : 0
    }
    #expect(kind == 0)
    for text in ["", ".", "\"", "\u{0}\u{1F426}.", String(repeating: "Mira. ", count: 10_000)] {
      #expect(!Kindness.isKind(text))
    }
  }
}
