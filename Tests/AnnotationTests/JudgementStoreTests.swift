import Foundation
import GRDB
import Testing

@testable import Annotation

@Suite struct JudgementStoreTests {
  @Test func pairsAreReadAsTheyWereAdded() throws {
    try withFolder { folder in
      let path = "\(folder)/new/judgements.sqlite"
      let store = try JudgementStore(path: path)
      let pairs =
        AnnotationPair.several(3) + [AnnotationPair("a \"quoted\"\n\u{0}line", "é", "e\u{301}2")]
      #expect(try store.add(pairs, from: "here") == 4)
      #expect(try store.add(pairs + AnnotationPair.several(5)) == 2)
      let read = try JudgementStore(reading: path).pairs()
      #expect(read.map(\.pair) == pairs + AnnotationPair.several(5)[3...])
      #expect(read.map(\.number) == Array(0..<6) && read.map(\.id) == read.map(\.pair.id))
      #expect(try store.hasPairs(from: "here") && !store.hasPairs(from: "elsewhere"))
      #expect(try store.pair(pairs[1].id)?.number == 1 && store.pair("none") == nil)
    }
  }

  @Test func aJudgementIsSynchronised() throws {
    try withStore { store in
      let (mode, level) = try store.read { database in
        (
          try String.fetchOne(database, sql: "PRAGMA journal_mode"),
          try Int.fetchOne(database, sql: "PRAGMA synchronous")
        )
      }
      #expect(mode == "wal" && level == 2, "2 is FULL")
    }
  }

  @Test func anAnnotatorJudgesAPairOnce() throws {
    try withStore(pairs: 2) { store in
      let id = try store.pairs()[0].id
      let given = Judgement(
        pair: id, annotator: "anna", verdict: .first, left: .second, note: "kinder")
      #expect(try store.keep(given))
      #expect(try !store.keep(Judgement(pair: id, annotator: "anna", verdict: .tie)))
      #expect(try store.keep(Judgement(pair: id, annotator: "ben", verdict: .tie)))
      #expect(try store.judgements().map(\.verdict) == [.first, .tie])
      #expect(try store.judgements()[0] == given)
      #expect(try store.withdrawLast(of: "anna") == given)
      #expect(try store.withdrawLast(of: "anna") == nil)
      #expect(try store.keep(Judgement(pair: id, annotator: "anna", verdict: .tie)))
      // Withdrawn judgements stay in the file.
      let rows = try store.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM judgement") }
      #expect(rows == 3)
      #expect(throws: AnnotationError.unknownPair(path: store.path, id: "none")) {
        try store.keep(Judgement(pair: "none", annotator: "anna", verdict: .tie))
      }
    }
  }

  @Test(arguments: ["", " anna", "anna ", "an\nna", "\u{1B}[1m", String(repeating: "a", count: 65)])
  func invalidNamesAreRefused(name: String) throws {
    try withStore(pairs: 1) { store in
      #expect(throws: AnnotationError.badAnnotator(name)) {
        try AnnotationSession(store, annotator: name)
      }
    }
  }

  @Test func theSeedIsStored() throws {
    try withStore(seed: 5) { store in
      let again = try [
        JudgementStore(path: store.path), JudgementStore(path: store.path, seed: 5),
        JudgementStore(reading: store.path),
      ]
      #expect(again.map(\.seed) == [5, 5, 5])
      #expect(throws: AnnotationError.otherSeed(path: store.path, found: 5, given: 6)) {
        try JudgementStore(path: store.path, seed: 6)
      }
    }
    let seed = try withStore { $0.seed }
    #expect(seed == 1)
  }

  @Test func otherFilesAreRefusedAndUnchanged() throws {
    try withFolder { folder in
      let text = "\(folder)/text.sqlite"
      try Data(String(repeating: "not a database ", count: 100).utf8)
        .write(to: URL(fileURLWithPath: text))
      let other = "\(folder)/other.sqlite"
      try DatabaseQueue(path: other).write { try $0.execute(sql: "CREATE TABLE birds (name TEXT)") }
      for path in [text, other] {
        let before = FileManager.default.contents(atPath: path)
        for open in [{ try JudgementStore(path: path) }, { try JudgementStore(reading: path) }] {
          let error = try #require(#expect(throws: AnnotationError.self) { _ = try open() })
          #expect(path == other || "\(error)".contains("not a file of judgements"), "\(error)")
          #expect(path == text || error == .otherProgram(path: path), "\(error)")
        }
        #expect(FileManager.default.contents(atPath: path) == before)
      }
      #expect(throws: AnnotationError.missing(path: "\(folder)/none")) {
        try JudgementStore(reading: "\(folder)/none")
      }
      let error = #expect(throws: AnnotationError.self) { try JudgementStore(path: "\(text)/x/y") }
      guard case .storage = error else {
        Issue.record("\(error as Any)")
        return
      }
    }
  }

  @Test func aLaterSchemaIsRefused() throws {
    try withStore(pairs: 1) { store in
      try store.write { database in
        try database.execute(sql: "INSERT INTO grdb_migrations VALUES ('99')")
      }
      let error = AnnotationError.newerSchema(path: store.path, found: "99", known: "1")
      #expect(throws: error) { try JudgementStore(path: store.path) }
      #expect(throws: error) { try JudgementStore(reading: store.path) }
    }
  }

  /// Files in states that a crash during their creation can leave.
  @Test func aPartlyCreatedFileIsCompleted() throws {
    try withFolder { folder in
      let path = "\(folder)/judgements.sqlite"
      try Data().write(to: URL(fileURLWithPath: path))
      try DatabaseQueue(path: path).inDatabase { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
      #expect(throws: AnnotationError.self) { try JudgementStore(reading: path) }
      #expect(try JudgementStore(path: path).add(AnnotationPair.several(2)) == 2)
      let other = "\(folder)/other.sqlite"
      try DatabaseQueue(path: other).inDatabase {
        try $0.execute(sql: "PRAGMA application_id = \(JudgementSchema.applicationID)")
      }
      #expect(try JudgementStore(reading: other).pairs().isEmpty)
    }
  }

  /// Several threads open the same new file, add the same pairs and judge all of them at once.
  @Test func manyWritersCanUseAFileAtOnce() throws {
    for _ in 0..<10 {
      try withFolder { folder in
        let path = "\(folder)/judgements.sqlite"
        let errors = Errors()
        DispatchQueue.concurrentPerform(iterations: 6) { number in
          do {
            let store = try JudgementStore(path: path)
            try store.add(AnnotationPair.several(10))
            for pair in try store.pairs() {
              try store.keep(Judgement(pair: pair.id, annotator: "\(number % 3)", verdict: .tie))
            }
          } catch {
            errors.add(error)
          }
        }
        #expect(errors.all.isEmpty, "\(errors.all)")
        let store = try JudgementStore(reading: path)
        #expect(try store.pairs().map(\.number) == Array(0..<10))
        #expect(try store.judgements().count == 30)
      }
    }
  }
}

private final class Errors: @unchecked Sendable {
  // Sendable: the lock is held for every access.
  private let lock = NSLock()
  private var errors: [any Error] = []

  var all: [any Error] { lock.withLock { errors } }
  func add(_ error: any Error) { lock.withLock { errors.append(error) } }
}
