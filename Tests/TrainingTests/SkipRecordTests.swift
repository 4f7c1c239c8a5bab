import Checkpoints
import Files
import Foundation
import Testing

@testable import Training

@Suite struct SkipRecordTests {
  private func record(_ texts: String...) throws -> SkipRecord { try SkipRecord.parse(texts).get() }

  @Test func stepsAndRangesAreRead() throws {
    let record = try record("3", "7-7", "10-19", "20")
    #expect(record.text == "3, 7-7, 10-19, 20" && record.count == 13 && record.rollbacks == 0)
    #expect(record.entries.map(\.kind) == [.step, .range, .range, .step])
    #expect(
      [2, 3, 9, 10, 19, 21].map { record.entry(at: $0)?.first } == [nil, 3, nil, 10, 10, nil])
    #expect(record.upTo(10).text == "3, 7-7, 10-19" && record.after(10).text == "20")
    #expect(try self.record().entries.isEmpty)
  }

  @Test(arguments: [
    ["0"], ["-1"], ["x"], ["5-4"], ["3-"], ["1-2-3"], [""], ["4", "4"], ["4-6", "6-7"], ["1.5"],
    ["99999999999999999999"], ["3 - 4"],
  ])
  func otherTextsAreRefused(texts: [String]) {
    #expect(SkipRecord.parse(texts) == .failure(.init(text: texts.last ?? "")))
  }

  @Test func updatesAreStepsThatAreNotSkipped() throws {
    let record = try record("3", "10-19")
    #expect([0, 2, 3, 4, 9, 10, 15, 19, 20].map(record.updates) == [0, 2, 2, 3, 8, 8, 8, 8, 9])
  }

  @Test func onlySingleStepsCountInARow() throws {
    let record = try record("3-5", "6", "7", "9")
    #expect((1...9).map(record.stepsInARow) == [0, 0, 0, 0, 0, 1, 2, 0, 1])
  }

  @Test func aRollbackCountsTrainedSteps() throws {
    let record = try record("3", "10-19")
    func step(_ step: Int, _ count: Int, _ lowest: Int = 0) -> Int {
      record.step(before: step, trained: count, notBelow: lowest)
    }
    #expect(step(30, 1) == 29 && step(30, 11) == 19 && step(30, 12) == 8 && step(30, 17) == 3)
    #expect(step(30, 18) == 1 && step(30, 19) == 0 && step(30, 99) == 0)
    #expect(step(30, 99, 5) == 5 && step(30, 1, 29) == 29 && step(30, 1, 30) == 30)
    // From a skipped step the count begins before it.
    #expect(step(19, 1) == 8 && step(15, 2) == 7 && step(2, 1) == 1)
  }

  @Test func aRangeTakesInWhatItMeets() throws {
    var record = try record("3", "10-19", "40")
    record.insert(.init(15, through: 30, .range, reason: "new", rollbacks: 1))
    #expect(record.text == "3, 10-30, 40" && record.rollbacks == 1)
    record.insert(.init(2, through: 12, .range, reason: "newer", rollbacks: 1))
    #expect(record.text == "2-30, 40" && record.rollbacks == 2)
    #expect(record.entries[0].reason == "newer")
    record.insert(.init(31, through: 31, .step, reason: "a step"))
    #expect(record.text == "2-30, 31, 40")
    record.insert(.init(1, through: 99, .range, reason: "all", rollbacks: 1))
    #expect(record.text == "1-99" && record.rollbacks == 3)
  }

  @Test func theFileIsReadAsItWasWritten() throws {
    let path = NSTemporaryDirectory() + "apus-skips-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = RunFolder(path)
    try folder.create()
    #expect(try SkipFile(in: folder) == nil)
    var record = try record("3")
    record.insert(
      .init(
        9, through: 14, .range, reason: "its loss is nan", rollbacks: 1, loss: .nan, gradientNorm: 2
      ))
    #expect(!record.entries[1].isFinite && record.entries[0].isFinite)
    #expect(record.entries[1].loss == nil && record.entries[1].gradientNorm == 2)
    let file = SkipFile(record, settings: ["seed": "1"])
    try file.write(to: folder)
    #expect(try SkipFile(in: folder) == file)
    #expect(try SkipFile(in: folder)?.record == record)
    for text in [
      "", "{}", #"{"settings":{},"skipped":[],"version":2}"#,
      #"{"settings":{},"skipped":[{"first":5,"kind":"range","last":4,"isFinite":true,"reason":"","rollbacks":0}],"version":1}"#,
      #"{"settings":{},"skipped":[{"first":5,"kind":"step","last":6,"isFinite":true,"reason":"","rollbacks":0}],"version":1}"#,
    ] {
      try folder.write(Array(text.utf8), as: SkipFile.name)
      #expect(throws: SkipFile.UnreadableRecord.self, "\(text)") { try SkipFile(in: folder) }
    }
    // A run that skips nothing has no file.
    try SkipFile(SkipRecord(), settings: [:]).write(to: folder)
    #expect(try SkipFile(in: folder) == nil)
    #expect(try FileSystem.names(in: path) == [])
  }
}
