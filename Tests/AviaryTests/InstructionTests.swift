import Testing

@testable import Aviary

@Suite struct InstructionTests {
  @Test(arguments: Size.allCases)
  func everyInstructionIsParsedToItsFacts(size: Size) {
    let aviary = Aviary(seed: 4, size: size)
    for index in -500..<1_500 {
      let instruction = aviary.instruction(at: index)
      #expect(Instruction(" \(instruction.text)\n") == instruction)
      #expect(instruction.facts == NamedFacts(aviary.story(at: index).facts))
      #expect(instruction.facts.named == ["name", "kind", "place", "time", "problem"])
    }
  }

  @Test func instructionsAreAPureFunctionOfSeedAndIndex() {
    let aviary = Aviary(seed: 4)
    #expect(aviary.instruction(at: 7) == Aviary(seed: 4).instruction(at: 7))
    #expect(aviary.instruction(at: 7) != Aviary(seed: 5).instruction(at: 7))
    let texts = Set((0..<1_000).map { aviary.instruction(at: $0).text })
    #expect(texts.count > 990)
  }

  @Test func everyPhrasingAndEveryEventOccurs() {
    let aviary = Aviary(seed: 4)
    let texts = (0..<1_500).map { aviary.instruction(at: $0).text }
    for segments in Phrasing.all {
      #expect(texts.contains { Phrasing.read(Substring($0).utf8, as: segments[...]) != nil })
    }
    for event in Phrasing.Slot.event.choices {
      #expect(texts.contains { $0.contains(event.text) }, "\(event.text)")
    }
  }

  @Test func otherTextsAreNotInstructions() {
    let text =
      "Write a story about Mira the owl. It happens in the forest one day and is about fear."
    let facts = NamedFacts(
      name: "Mira", kind: "owl", place: "the forest", time: "day", problem: .afraid)
    #expect(Instruction(text)?.facts == facts)
    for other in [
      "", " \n", text.dropLast() + "", text + " Please.", text.lowercased(),
      String(text.reversed()),
      text.split(separator: "owl").joined(separator: "unicorn"), "\u{1F426}\u{0}",
      String(repeating: text, count: 2_000), smallCorpus[0].text,
    ] {
      #expect(Instruction(other) == nil, "\(other.prefix(200))")
    }
  }
}

@Suite struct AnswerCheckTests {
  private let aviary = Aviary(seed: 4, size: .small)

  @Test func everyStoryFollowsItsOwnInstruction() {
    let checks = (0..<500).map {
      AnswerCheck(of: aviary.text(at: $0), to: aviary.instruction(at: $0).facts)
    }
    #expect(checks.allSatisfy { $0.isFollowed && $0.isConsistent })
    #expect(checks.allSatisfy { $0.factsNamed == 5 && $0.factsKept == 5 })
    let kind = checks.count(where: \.isKind)
    #expect((200...300).contains(kind), "\(kind)")
  }

  @Test func aChangedFactIsNotKept() {
    for index in 0..<200 {
      let (text, facts) = (aviary.text(at: index), aviary.instruction(at: index).facts)
      let other = (1...).lazy.map { aviary.instruction(at: index + $0).facts }
      let changes: [(WritableKeyPath<NamedFacts, String?>, String)] = [
        (\.name, "name"), (\.kind, "kind"), (\.place, "place"), (\.time, "time"),
      ]
      for (path, name) in changes {
        var changed = facts
        changed[keyPath: path] =
          other.first { $0[keyPath: path] != facts[keyPath: path] }?[
            keyPath: path]
        let kept = changed.kept(in: StoryChecker().analyze(text).facts)
        #expect(kept == facts.named.filter { $0 != name })
      }
      var changed = facts
      changed.problem = Problem.allCases.first { $0 != facts.problem }
      let check = AnswerCheck(of: text, to: changed)
      #expect(!check.isFollowed && check.factsKept == 4 && check.factsNamed == 5)
    }
  }

  @Test func partlyCorrectTextsKeepPartOfTheFacts() {
    let facts = NamedFacts(
      name: "Mira", kind: "owl", place: "the forest", time: "spring day", problem: .hungry)
    func kept(_ text: String) -> [String] { facts.kept(in: StoryChecker().analyze(text).facts) }
    #expect(kept("") == [])
    #expect(kept("Mira was a shy owl") == [])
    #expect(kept("Mira was a shy owl. And then she did the") == ["name", "kind"])
    #expect(
      kept("Mira was a shy owl. One icy spring day, Tom went to the forest. Mira got very hungry.")
        == ["name", "kind", "place", "time", "problem"])
    #expect(
      kept("Once once. One rainy spring day, Mira went to the beach. Soon, Mira got very hungry.")
        == ["name", "time", "problem"])
    // The first value of a fact counts, except for the place, whose last value counts.
    #expect(kept("Mira was a shy owl. Mira was a shy wren.") == ["name", "kind"])
    #expect(
      kept("One rainy day, Tom was on the beach. Then Tom went on from the beach to the forest.")
        == ["place"])
    // Only named facts can be kept.
    #expect(NamedFacts(kind: "owl").named == ["kind"])
    #expect(NamedFacts().kept(in: NamedFacts()) == [])
  }
}
