import Testing
import Tokenizers

@testable import Annotation

@Suite struct AnnotationDialogueTests {
  @Test func everyKeyStoresItsJudgement() throws {
    try withStore(pairs: 7) { store in
      let lines = [
        "l", " R  too long, and\tcold ", "", "x", "t", "b", "u", "s", "l", "r why", "t", "u",
      ]
      let shown = try converse(store, "anna", lines)
      let judgements = try store.judgements()
      #expect(judgements.count == 6)
      #expect(judgements[0].verdict == judgements[0].left.map { Verdict(better: $0) })
      #expect(judgements[1].verdict == judgements[1].left.map { Verdict(better: $0.other) })
      #expect(judgements[1].note == "too long, and cold")
      #expect(judgements[2].verdict == .tie && judgements[3].verdict == .skip)
      #expect(judgements[5].note == "why")
      for words in [
        "Pair 1 of 7", "Kept: left.", "Kept: right, with a note.", "\"x\" is not one of the keys",
        "Kept: tie.", "Kept: both bad.", "Taken back.", "Kept: skip.", "All pairs are judged.",
      ] {
        #expect(shown.contains(words), "\(words): \(shown)")
      }
      #expect(try converse(store, "ben", ["u", "q", "l"]).contains("no judgement to take back"))
      #expect(try store.judgements().count == 6)
    }
  }

  @Test func linesFitTheTerminal() throws {
    try withFolder { folder in
      let store = try JudgementStore(path: "\(folder)/judgements.sqlite")
      let long = String(repeating: "a swift stays in the air for ten months ", count: 30)
      try store.add([
        AnnotationPair(
          prompt: [
            Message(.system, "Be kind."), Message(.user, long), Message(.assistant, "\u{1B}[2J"),
            Message(.user, String(repeating: "x", count: 500)),
          ],
          first: .init([Message(.assistant, long + "1")]),
          second: .init([Message(.assistant, long + "2")]))
      ])
      for columns in [20, 80] {
        let shown = try converse(
          store, "anna", ["zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"], columns: columns)
        let lines = shown.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= columns }, "\(shown)")
        for words in ["Prompt, system", "Prompt, assistant", "␛[2J", "Left", "Right", "u undo"] {
          #expect(shown.contains(words), "\(words): \(shown)")
        }
        #expect(!shown.contains("\u{1B}"))
      }
      // The keys fit in one line of a usual terminal.
      #expect(
        try converse(store, "anna", []).split(separator: "\n").last?.hasPrefix("l left") == true)
    }
  }

  /// No sequence of answers makes the dialogue print a source.
  @Test func sourcesAreNeverShown() throws {
    try withStore(pairs: 30) { store in
      let keys = ["l", "r", "t", "b", "s", "u", "?"]
      let shown = try converse(store, "anna", (0..<60).map { keys[$0 * $0 % keys.count] })
      for word in ["models", "x/", "/y", "first", "second", "source", "chosen"] {
        #expect(!shown.contains(word), "\(word)")
      }
    }
  }
}
