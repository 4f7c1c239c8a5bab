import RandomNumbers
import Testing

@testable import Aviary

@Suite struct StoryCheckerTests {
  private let checker = StoryChecker()

  // Four parts, so that four cores can share the work.
  @Test(arguments: 0..<4)
  func everyStoryIsParsedWithItsFacts(part: Int) {
    let stories = corpus[part * corpus.count / 4..<(part + 1) * corpus.count / 4]
    let misread = stories.filter { checker.check($0.text) != .consistent($0.facts) }
    #expect(misread.isEmpty, "\(misread.count) misread, first \(String(describing: misread.first))")
  }

  private let story = [
    "Once there was a shy penguin named Mira who had a red kite.",
    "One rainy morning, Mira and Anna the wren were in the forest when Mira's red kite got stuck "
      + "on top of the old oak.",
    "As the rain fell in the forest, Anna flew up to the old oak and brought the kite down, and "
      + "Mira was glad to have the red kite back and thanked Anna.",
  ]

  private func check(replacing old: String = "", by new: String = "", in sentence: Int)
    -> StoryVerdict
  {
    var sentences = story
    let parts = sentences[sentence - 1].components(separatedBy: old)
    #expect(parts.count == 2, "'\(old)' does not occur exactly once in the sentence")
    sentences[sentence - 1] = parts.joined(separator: new)
    return checker.check(sentences.joined(separator: " "))
  }

  @Test func aStoryIsParsedToTheFactsThatAHumanReads() throws {
    guard case .consistent(let facts) = checker.check(story.joined(separator: " \n")) else {
      Issue.record("\(checker.check(story.joined(separator: " ")))")
      return
    }
    #expect(
      facts
        == Facts(
          protagonist: Facts.Character(name: "Mira", kind: "penguin", pronoun: "she", trait: "shy"),
          companion: Facts.Character(name: "Anna", kind: "wren", pronoun: "she", trait: nil),
          place: "the forest", weather: "rainy", time: "morning", object: "kite", colour: "red",
          problem: .stuck, outcome: .helped, details: ["height": "old oak"]))
  }

  @Test(arguments: [
    (3, "the red kite", "the blue kite", Clash.changed("colour", was: "red", now: "blue")),
    (2, "Mira's red kite", "Mira's red drum", .changed("object", was: "kite", now: "drum")),
    (3, "the rain fell", "the snow came down", .changed("weather", was: "rainy", now: "snowy")),
    (3, "in the forest", "at the lake", .changed("place", was: "the forest", now: "the lake")),
    (3, "thanked Anna", "thanked Tom", .unknownCharacter("Tom")),
    (3, "Mira was glad", "Anna was glad", .wrongCharacter("Anna", instead: "Mira")),
    (
      3, "up to the old oak", "up to the tall pine",
      .changed("height", was: "old oak", now: "tall pine")
    ),
    (2, "Anna the wren", "Anna the mole", .unmetRequirement("mole", needs: ["fly"], excludes: [])),
    (1, "penguin", "swan", .unmetRequirement("swan", needs: [], excludes: ["fly"])),
    (2, "Anna the wren", "Mira the wren", .duplicateName("Mira")),
  ])
  func aChangedWordIsReportedAsItsClash(sentence: Int, old: String, new: String, clash: Clash) {
    guard case .inconsistent(let found) = check(replacing: old, by: new, in: sentence) else {
      Issue.record("not inconsistent: \(check(replacing: old, by: new, in: sentence))")
      return
    }
    #expect(found.contains { $0.clash == clash }, "\(found)")
    #expect(found.allSatisfy { !$0.description.isEmpty })
  }

  @Test func anOakAtTheHarbourIsMisplaced() {
    let text = story.joined(separator: " ").replacing("in the forest", with: "at the harbour")
    #expect(
      checker.check(text)
        == .inconsistent([
          Contradiction(sentence: 2, clash: .misplaced("old oak", at: "the harbour"))
        ]))
  }

  @Test func aWrongPronounIsReported() {
    let text =
      "This is the story of a shy wren named Mira and his red kite. \(story[1]) \(story[2])"
    guard case .inconsistent(let found) = checker.check(text) else {
      Issue.record("'his' passed")
      return
    }
    #expect(
      found.first
        == Contradiction(sentence: 1, clash: .pronoun(of: "Mira", was: "her", now: "his")))
    #expect(
      found.first?.description
        == "sentence 1: the pronoun of Mira was 'her' and is now 'his'")
  }

  @Test func theEndingMustFitTheEventAndTheProblem() {
    let split = [
      story[0], story[1],
      "As the rain fell, Anna flew up to the old oak and brought the kite down.",
      "That rainy morning, Mira never saw the red kite again.",
    ]
    #expect(
      checker.check(split.joined(separator: " "))
        == .inconsistent([
          Contradiction(
            sentence: 4, clash: .differentOutcome(.ending, was: [.helped], now: [.failed]))
        ]))
    let other = split.prefix(3) + ["In the end, Mira was free again and thanked Anna."]
    #expect(
      checker.check(other.joined(separator: " "))
        == .inconsistent([
          Contradiction(sentence: 4, clash: .differentProblem(.ending, was: .stuck, now: .trapped))
        ]))
  }

  @Test func textsThatAreNotStoriesAreUnreadable() {
    func clashes(_ text: String) -> [Clash] {
      guard case .unreadable(let found) = checker.check(text) else { return [] }
      return found.map(\.clash)
    }
    let text = story.joined(separator: " ")
    #expect(clashes("") == [.length(0)])
    #expect(clashes(story[0] + " " + story[1]) == [.length(2)])
    #expect(clashes([text, text, text].joined(separator: " ")).first == .length(9))
    #expect(clashes(text + " Then") == [.unfinished])
    #expect(clashes(text.replacing("a shy", with: "an shy")) == [.misspelled(expected: story[0])])
    #expect(clashes(text.replacing("One", with: "one")) == [.misspelled(expected: story[1])])
    #expect(clashes(text.replacing("flew", with: "zoomed")) == [.unknownWord("zoomed")])
    #expect(
      clashes(text.replacing("brought the kite", with: "brought a kite"))
        == [
          .notASentence(
            after: "As the rain fell in the forest, Anna flew up to the old oak and brought")
        ])
  }

  /// Half-trained models write such texts: sentences of different stories in random order.
  @Test func mixedSentencesOfManyStoriesGetAVerdict() {
    let world = Aviary(seed: 11)
    let sentences = (0..<600).flatMap { index in
      world.text(at: index).split(separator: ". ").map { $0.hasSuffix(".") ? "\($0)" : "\($0)." }
    }
    var random = RandomSequence(RandomStream(seed: 6, purpose: .probe, 0))
    for _ in 0..<4000 {
      let text = (0..<(1 + Int(random.next() % 8))).map { _ in
        sentences[Int(random.next() % UInt64(sentences.count))]
      }.joined(separator: " ")
      if case .consistent = checker.check(text), !text.isEmpty {
        // A consistent story by chance needs at least three sentences.
        #expect(text.split(separator: ". ").count >= 3)
      }
    }
  }

  @Test func arbitraryTextIsUnreadable() {
    let text = corpus[3].text
    var hostile = [
      String(repeating: "a", count: 1 << 20), String(repeating: ".", count: 1 << 20),
      String(repeating: "\" ", count: 1 << 19), String(repeating: "the red kite ", count: 80_000),
      String(repeating: "\u{0}\u{1F426}", count: 1 << 17),
      String(repeating: " \n\t", count: 300_000),
      String(repeating: text + " ", count: 2_500), "'", "'s", "\"", ".", "a", "-", ".\".\".\"",
      "\u{FEFF}" + text, text.replacing(" ", with: "\u{A0}"), String(text.reversed()),
    ]
    var random = RandomSequence(RandomStream(seed: 5, purpose: .probe, 0))
    for length in 0..<200 {
      let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      hostile.append(String(decoding: bytes, as: UTF8.self))
    }
    for text in hostile {
      guard case .unreadable(let found) = checker.check(text) else {
        Issue.record("readable: \(text.prefix(200))")
        continue
      }
      #expect(!found.isEmpty)
    }
    for length in 0..<text.utf8.count {
      let prefix = String(decoding: text.utf8.prefix(length), as: UTF8.self)
      if case .consistent = checker.check(prefix) { Issue.record("consistent: \(prefix)") }
    }
  }
}

extension String {
  fileprivate func components(separatedBy separator: String) -> [String] {
    separator.isEmpty
      ? [self] : split(separator: separator, omittingEmptySubsequences: false).map(String.init)
  }

  fileprivate func replacing(_ old: String, with new: String) -> String {
    components(separatedBy: old).joined(separator: new)
  }
}
