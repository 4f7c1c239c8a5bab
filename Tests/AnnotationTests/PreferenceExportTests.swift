import Foundation
import Testing
import Tokenizers

@testable import Annotation

@Suite struct PreferenceExportTests {
  private func export(
    _ verdicts: [[Verdict]], keepsTies: Bool = false
  ) throws -> (PreferenceExport, [[String: Any]]) {
    let pairs = AnnotationPair.several(verdicts.count).enumerated().map {
      StoredPair(number: $0.offset, id: $0.element.id, pair: $0.element)
    }
    let judgements = zip(pairs, verdicts).flatMap { pair, verdicts in
      verdicts.enumerated().map {
        Judgement(pair: pair.id, annotator: "\($0.offset)", verdict: $0.element)
      }
    }
    let export = try PreferenceExport(pairs: pairs, judgements: judgements, keepsTies: keepsTies)
    let objects = try export.lines.map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    return (export, objects)
  }

  private let verdicts: [[Verdict]] = [
    [.first], [.second, .second, .first, .tie], [.first, .second], [.bothBad, .first, .bothBad],
    [.skip], [], [.second, .skip],
  ]

  @Test func theMajorityDecides() throws {
    let (export, objects) = try export(verdicts)
    #expect(objects.map { $0["margin"] as? Double } == [1, 0.25, 1])
    #expect(objects.map { $0["annotators"] as? Int } == [1, 4, 1])
    #expect(
      objects.map { $0["chosen"] as? String }
        == ["Answer 0 of one", "Answer 1 of another", "Answer 6 of another"])
    #expect(objects[1]["rejected"] as? String == "Answer 1 of one")
    #expect(objects[1]["prompt"] as? String == "Question 1?")
    #expect(export.undecided == 2)
  }

  @Test func tiesAreWrittenInBothOrders() throws {
    let (export, objects) = try export(verdicts, keepsTies: true)
    #expect(export.undecided == 0 && objects.count == 7)
    for (one, other) in [(objects[2], objects[3]), (objects[4], objects[5])] {
      #expect(one["margin"] as? Double == 0 && other["margin"] as? Double == 0)
      #expect(one["chosen"] as? String == other["rejected"] as? String)
      #expect(one["rejected"] as? String == other["chosen"] as? String)
    }
  }

  @Test func conversationsAreWrittenAsMessages() throws {
    let pair = AnnotationPair(
      prompt: [Message(.system, "s"), Message(.user, "u")],
      first: .init([Message(.assistant, "/a")]), second: .init([Message(.assistant, "b")]))
    let export = try PreferenceExport(
      pairs: [StoredPair(number: 0, id: pair.id, pair: pair)],
      judgements: [Judgement(pair: pair.id, annotator: "a", verdict: .first)])
    #expect(
      export.lines == [
        """
        {"annotators":1,"chosen":[{"content":"/a","role":"assistant"}],"margin":1,\
        "pair":"\(pair.id)","prompt":[{"content":"s","role":"system"},\
        {"content":"u","role":"user"}],"rejected":[{"content":"b","role":"assistant"}]}
        """
      ])
  }

  /// Files of pairs, judged as they are labelled, are exported unchanged.
  @Test(arguments: [
    [
      #"{"prompt":"p","chosen":"a","rejected":"b"}"#,
      #"{"prompt":"q é","chosen":"/","rejected":"\\"}"#,
    ],
    [#"{"chosen":"a","rejected":"b"}"#],
    [
      #"{"prompt":[{"role":"system","content":"s"},{"role":"user","content":"u"}],"#
        + #""chosen":[{"role":"assistant","content":"a"}],"#
        + #""rejected":[{"role":"assistant","content":"b"}]}"#
    ],
    [#"{"chosen":"\n\nHuman: x\n\nAssistant: y","rejected":"\n\nHuman: x\n\nAssistant: z"}"#],
    [
      #"{"prompt":"p","chosen":[{"role":"assistant","content":"\n\nHuman: x"}],"#
        + #""rejected":[{"role":"assistant","content":"b"}]}"#
    ],
  ])
  func exportedPairsEqualTheImportedOnes(lines: [String]) throws {
    try withFolder { folder in
      func pairs(_ lines: [String], _ name: String) throws -> [AnnotationPair] {
        let path = "\(folder)/\(name).jsonl"
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
        return try PairFile([path]).pairs
      }
      let read = try pairs(lines, "in")
      #expect(read.allSatisfy { $0.first.source == "chosen" && $0.second.source == "rejected" })
      let store = try JudgementStore(path: "\(folder)/judgements.sqlite")
      try store.add(read)
      try store.keep(read.map { Judgement(pair: $0.id, annotator: "a", verdict: .first) })
      let export = try PreferenceExport(pairs: store.pairs(), judgements: store.judgements())
      #expect(try pairs(export.lines, "out") == read && read.count == lines.count)
    }
  }
}
