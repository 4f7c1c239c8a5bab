import Foundation
import Testing

@testable import Annotation

@Suite struct AnswerFileTests {
  private func read(_ lines: [String], _ store: JudgementStore) throws -> AnswerFile {
    let path = store.path + ".jsonl"
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
    return try AnswerFile(path: path, for: store)
  }

  @Test func judgementsAreImportedOnce() throws {
    try withStore(pairs: 2) { store in
      let ids = try store.pairs().map(\.id)
      let left = Presentation(seed: 1, annotator: "anna").left(ofPair: 0)
      let lines = [
        #"{"pair":"\#(ids[0])","annotator":"anna","answer":"right","note":"n"}"#,
        "", #"{"pair":"\#(ids[1])","annotator":"ben","answer":"second","note":null}"#,
        #"{"pair":"\#(ids[1])","annotator":"ben","answer":"second"}"#, "  ",
        #"{"pair":"\#(ids[0])","annotator":"ben","answer":"bothBad"}"#,
      ]
      let file = try read(lines, store)
      #expect(file.faults.isEmpty && file.known == 1)
      #expect(
        file.judgements == [
          Judgement(
            pair: ids[0], annotator: "anna", verdict: Verdict(better: left.other), left: left,
            note: "n"),
          Judgement(pair: ids[1], annotator: "ben", verdict: .second),
          Judgement(pair: ids[0], annotator: "ben", verdict: .bothBad),
        ])
      #expect(try store.keep(file.judgements) == 3)
      let again = try read(lines, store)
      #expect(again.judgements.isEmpty && again.known == 4)
    }
  }

  /// Answers to the listing are stored as if they were given in a session.
  @Test func theListingMatchesTheSession() throws {
    try withStore(pairs: 9) { store in
      let session = try AnnotationSession(store, annotator: "anna")
      let listed = try PairListing.lines(of: store, for: "anna")
      let answers = try zip(listed, session.remainingPairs()).map { line, shown in
        let object = try #require(
          JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(object["pair"] == shown.pair.id)
        #expect(object["left"] == shown.pair.pair[shown.left].answer[0].content)
        #expect(object["right"] == shown.pair.pair[shown.left.other].answer[0].content)
        #expect(object["prompt"] == shown.pair.pair.prompt[0].content && object.count == 4)
        return #"{"pair":"\#(shown.pair.id)","annotator":"anna","answer":"left"}"#
      }
      #expect(answers.count == 9)
      try store.keep(read(answers, store).judgements)
      #expect(
        try store.judgements().allSatisfy { $0.verdict == $0.left.map(Verdict.init(better:)) })
      #expect(try PairListing.lines(of: store, for: "anna").isEmpty)
      let kept = try PairListing.lines(of: store)
      #expect(kept.count == 9 && kept[0].hasPrefix(#"{"first":"Answer 0 of one","pair":"#))
    }
  }

  @Test func everyBadLineHasAFault() throws {
    try withStore(pairs: 1) { store in
      let id = try store.pairs()[0].id
      try store.keep(Judgement(pair: id, annotator: "anna", verdict: .first))
      let cases: [(line: String, words: String)] = [
        ("{", "is not a JSON object ("), ("[]", "is not a JSON object"),
        (#"{"annotator":"b","answer":"tie"}"#, #"no field "pair""#),
        (#"{"pair":"\#(id)","answer":"tie"}"#, #"no field "annotator""#),
        (#"{"pair":"\#(id)","annotator":"b"}"#, #"no field "answer""#),
        (#"{"pair":"\#(id)","annotator":"b","answer":3}"#, #""answer" that is not a text"#),
        (#"{"pair":"\#(id)","annotator":"b","answer":"better"}"#, "left, right, first, second"),
        (#"{"pair":"\#(id)","annotator":" ","answer":"tie"}"#, "cannot be an annotator's name"),
        (
          #"{"pair":"abc","annotator":"b","answer":"tie"}"#,
          #"judges the pair "abc", which is not in"#
        ),
        (#"{"pair":"\#(id)","annotator":"b","answer":"tie","note":1}"#, #""note" that is not"#),
        (#"{"pair":"\#(id)","annotator":"b","answer":"tie","winner":1}"#, #"field "winner""#),
        (#"{"pair":"\#(id)","annotator":"anna","answer":"tie"}"#, "whose earlier answer is first"),
      ]
      let file = try read(cases.map(\.line), store)
      #expect(file.judgements.isEmpty && file.faults.count == cases.count)
      for (index, (fault, expected)) in zip(file.faults, cases).enumerated() {
        #expect(fault.hasPrefix("\(store.path).jsonl:\(index + 1) "), "\(fault)")
        #expect(fault.contains(expected.words), "\(fault)")
      }
      #expect(throws: AnnotationError.unreadable(path: "none")) {
        try AnswerFile(path: "none", for: store)
      }
    }
  }
}
