import Testing
import Tokenizers

@testable import Annotation

@Suite struct AnnotationSessionTests {
  /// Answers up to `most` questions and returns them in order.
  private func questions(
    _ session: inout AnnotationSession, most: Int = .max
  ) throws -> [AnnotationSession.Question] {
    var questions: [AnnotationSession.Question] = []
    while questions.count < most, let question = try session.question() {
      questions.append(question)
      #expect(try session.give(.left, to: question))
    }
    return questions
  }

  @Test func everyPairIsAskedOnceAndASessionResumes() throws {
    let whole = try withStore(pairs: 12) { store in
      var session = try AnnotationSession(store, annotator: "anna")
      return try questions(&session)
    }
    #expect(Set(whole.map(\.pair)).count == 12 && whole.map(\.judged) == Array(0..<12))
    #expect(whole.map(\.prompt) != whole.map(\.prompt).sorted { $0[0].content < $1[0].content })
    let parts = try withStore(pairs: 12) { store in
      var parts: [AnnotationSession.Question] = []
      for most in [5, 1, 20] {
        var session = try AnnotationSession(store, annotator: "anna")
        parts += try questions(&session, most: most)
      }
      return parts
    }
    #expect(parts == whole)
  }

  /// The answers of x are stored first: half of the left answers are x's, and a preference for the left
  /// is stored as a preference for the answer that was there.
  @Test func sidesAreBalancedAndStored() throws {
    try withStore(pairs: 40) { store in
      var session = try AnnotationSession(store, annotator: "anna")
      let lefts = try questions(&session).map { $0.left[0].content.hasSuffix("of one") }
      #expect(lefts.count { $0 } == 20)
      for (judgement, isFirst) in zip(try store.judgements(), lefts) {
        #expect(judgement.left == (isFirst ? .first : .second))
        #expect(judgement.verdict == (isFirst ? .first : .second))
      }
    }
  }

  @Test func anUndoneQuestionIsNext() throws {
    try withStore(pairs: 3) { store in
      var session = try AnnotationSession(store, annotator: "anna")
      #expect(try !session.undo())
      let first = try questions(&session, most: 2)
      #expect(try session.undo())
      #expect(try session.question() == first[1])
      #expect(try session.undo())
      #expect(try session.question() == first[0])
      #expect(session.given == 0)
      // Undo reaches judgements of an earlier session, but not of another annotator.
      #expect(try questions(&session).map(\.pair).count == 3)
      var other = try AnnotationSession(store, annotator: "ben")
      #expect(try !other.undo())
      var later = try AnnotationSession(store, annotator: "anna")
      #expect(try later.question() == nil)
      #expect(try later.undo())
      #expect(try later.question() != nil)
    }
  }

  @Test func twoSessionsOfOneNameDoNotJudgeAPairTwice() throws {
    try withStore(pairs: 1) { store in
      var one = try AnnotationSession(store, annotator: "anna")
      var two = try AnnotationSession(store, annotator: "anna")
      let question = try #require(try one.question())
      #expect(try two.question() == question)
      #expect(try one.give(.tie, to: question))
      #expect(try !two.give(.left, to: question))
      #expect(try two.question() == nil && two.given == 0)
      #expect(try store.judgements().map(\.verdict) == [.tie])
    }
  }

  @Test func pairsAddedDuringASessionAreAsked() throws {
    try withStore(pairs: 1) { store in
      var session = try AnnotationSession(store, annotator: "anna")
      #expect(try questions(&session).count == 1)
      try store.add(AnnotationPair.several(3))
      #expect(try questions(&session).count == 2)
    }
  }

  /// The scores of the answers to question n differ by |n − 4|.
  @Test func pairsAreAskedByIncreasingScoreGap() throws {
    try withStore(pairs: 10) { store in
      let scorer: AnswerScorer = { prompt, answer in
        let number = try #require(Double(prompt[0].content.dropFirst(9).dropLast()))
        return answer[0].content.hasSuffix("another") ? number : 4
      }
      var session = try AnnotationSession(store, annotator: "anna", scorer: scorer)
      let numbers = try questions(&session).compactMap {
        Int($0.prompt[0].content.dropFirst(9).dropLast())
      }
      #expect(numbers.map { abs($0 - 4) } == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5])
      let error = #expect(throws: AnnotationError.self) {
        try AnnotationSession(store, annotator: "ben") { _, _ in .nan }
      }
      #expect(error?.description.contains("not a finite number") == true)
    }
  }
}
