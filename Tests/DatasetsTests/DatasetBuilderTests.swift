import Files
import Foundation
import Glibc
import Testing
import Tokenizers

@testable import Datasets

struct DatasetBuilderTests {
  let scratch: Scratch
  let tokenizer = Bytes()

  init() throws { scratch = try Scratch() }

  func plan(
    _ sources: [String], _ validation: ValidationSource = .fraction(0.1)
  ) throws(DatasetError) -> DatasetPlan {
    try DatasetPlan(sources: .files(sources), validation: validation, relativeTo: scratch.path)
  }

  func build(
    _ plan: DatasetPlan, _ folder: String = "set", threads: Int = 1
  ) throws(DatasetError) -> Dataset {
    try DatasetBuilder.build(
      plan, tokenizer: tokenizer, fingerprint: 7, into: scratch.path(folder), threads: threads)
  }

  func texts(_ shard: TokenShard) throws -> [String] {
    try shard.inspectDocuments(.max, tokenizer: tokenizer).map { document in
      String(document.text.dropLast("<|endoftext|>".count))
    }
  }

  /// Writes 300 short documents to `name`.
  func writeStories(_ name: String, from first: Int = 0) throws {
    let stories = (first..<first + 300).map { "{\"text\":\"story number \($0)\"}\n" }
    try scratch.write(name, stories.joined())
  }

  @Test func longDocumentsAreSplitAndShortOnesAssignedWhole() throws {
    let long = lines(50_000)
    try scratch.write("long.txt", long)
    try writeStories("stories.jsonl")
    let dataset = try build(try plan(["long.txt", "stories.jsonl"]))
    try dataset.train.verify()
    try dataset.validation.verify()

    let train = try texts(dataset.train)
    let validation = try texts(dataset.validation)
    #expect(train[0] + validation[0] == long)
    #expect(abs(validation[0].utf8.count - 5_000) < 100)
    #expect(Set(train.dropFirst() + validation.dropFirst()).count == 300)
    #expect((15...50).contains(validation.count - 1))

    let description = dataset.description
    #expect(description.sources.map(\.documents) == [1, 300])
    #expect(description.sources[0].textBytes == long.utf8.count)
    #expect(description.sources[0].fileBytes == long.utf8.count)
    #expect(description.validationFraction == 0.1 && description.validationSources == [])
    #expect(description.train == dataset.train.summary)
    #expect(description.train.tokens == description.train.textBytes + train.count)
    #expect(
      description.train.textBytes + description.validation.textBytes
        == description.sources.map(\.textBytes).reduce(0, +))
    #expect(try scratch.names("set") == ["dataset.json", "train.tokens", "validation.tokens"])
  }

  @Test func aSplitIsStableWhenFilesAreAdded() throws {
    try writeStories("m.jsonl")
    try scratch.write("m.txt", lines(9_000))
    let before = try build(try plan(["*.jsonl", "*.txt"]), "before")
    try writeStories("a.jsonl", from: 1_000)
    try scratch.write("z.txt", lines(30_000, salt: 1))
    let after = try build(try plan(["*.jsonl", "*.txt"]), "after")
    let held = Set(try texts(before.validation))
    #expect(held.count > 10)
    #expect(held.isSubset(of: try texts(after.validation)))
    #expect(Set(try texts(before.train)).isSubset(of: try texts(after.train)))
    #expect(after.validation.documentCount > before.validation.documentCount)
  }

  @Test func validationCanHaveSeparateFiles() throws {
    try scratch.write("a.txt", lines(9_000))
    try scratch.write("b.txt", "held out")
    let dataset = try build(try plan(["a.txt"], .files(["b.txt"])))
    #expect(try texts(dataset.train) == [lines(9_000)])
    #expect(try texts(dataset.validation) == ["held out"])
    #expect(dataset.description.validationSources.map(\.documents) == [1])
    #expect(throws: DatasetError.inBoth(path: scratch.path("b.txt"))) {
      try plan(["*.txt"], .files(["./b.txt"]))
    }
  }

  @Test func generatedDocumentsAreBuilt() throws {
    let make: @Sendable (Int) -> Document? = { index in
      index < 500 ? Document(text: "tale \(index)", source: "tales", index: index) : nil
    }
    func build(count: Int) throws -> Dataset {
      try self.build(
        try DatasetPlan(
          sources: .generated(name: "tales 1", count: count, document: make),
          validation: .fraction(0.1)), "tales\(count)")
    }
    let small = try build(count: 200)
    #expect(small.train.documentCount + small.validation.documentCount == 200)
    #expect(small.validation.documentCount > 5)
    #expect(small.description.sources.map(\.documents) == [200])
    // The generator ends before the count is reached.
    let large = try build(count: 1_000)
    #expect(large.train.documentCount + large.validation.documentCount == 500)
    #expect(Set(try texts(small.validation)).isSubset(of: try texts(large.validation)))
  }

  @Test func bytesDoNotDependOnTheNumberOfThreads() throws {
    try writeStories("a.jsonl")
    for i in 0..<9 { try scratch.write("b\(i).txt", lines(600_000 + i, salt: i)) }
    let plan = try plan(["."])
    var heard: [Int] = []
    let one = try DatasetBuilder.build(
      plan, tokenizer: tokenizer, fingerprint: 7, into: scratch.path("one"), threads: 1
    ) { documents, _ in heard.append(documents) }
    let three = try build(plan, "three", threads: 3)
    #expect(heard == [307])
    #expect(one.train.summary == three.train.summary)
    for name in ["dataset.json", "train.tokens", "validation.tokens"] {
      #expect(try scratch.read("one/\(name)") == scratch.read("three/\(name)"))
    }
  }

  @Test func emptyDocumentsAreCountedAndLeftOut() throws {
    try scratch.write("a.jsonl", "{\"text\":\"\"}\n{\"text\":\"a\"}\n{\"text\":\"\"}\n")
    let dataset = try build(try plan(["a.jsonl"], .fraction(0)))
    #expect(try texts(dataset.train) == ["a"])
    #expect(dataset.description.sources.map(\.emptyDocuments) == [2])
    #expect(dataset.validation.documentCount == 0)
    #expect(throws: DatasetError.nothingToEvaluate) {
      try EvaluationLoader(tokens: dataset.validation.tokens, context: 4, sequences: 1)
    }
  }

  @Test func splitsThatLeaveNoTextAreRefused() throws {
    try scratch.write("a.txt", "short")
    try scratch.write("b.jsonl", "{\"text\":\"\"}\n")
    #expect(throws: DatasetError.noValidationText(documents: 1, fraction: 0.01)) {
      try build(try plan(["a.txt"], .fraction(0.01)))
    }
    #expect(throws: DatasetError.noTrainingText) {
      try build(try plan(["a.txt"], .fraction(0.9999999)))
    }
    #expect(throws: DatasetError.nothingToEvaluate) {
      try build(try plan(["a.txt"], .files(["b.jsonl"])))
    }
    #expect(throws: DatasetError.invalidFraction(1)) { try plan(["a.txt"], .fraction(1)) }
    // No new folder remains either; an existing folder is kept.
    #expect(throws: DatasetError.noTrainingText) {
      try build(try plan(["a.txt"], .fraction(0.9999999)), "deep/set")
    }
    #expect(try scratch.names() == ["a.txt", "b.jsonl"])
    try scratch.write("set/kept.txt", "")
    #expect(throws: DatasetError.noTrainingText) {
      try build(try plan(["a.txt"], .fraction(0.9999999)))
    }
    #expect(try scratch.names("set") == ["kept.txt"])
  }

  @Test func aDatasetIsReusedUntilAnInputChanges() throws {
    try scratch.write("a.txt", lines(9_000))
    let folder = scratch.path("set")
    func existing(
      _ plan: DatasetPlan, fingerprint: UInt64 = 7, vocabularySize: Int = 257
    ) -> Dataset? {
      plan.existingDataset(
        in: folder, tokenizer: Bytes(vocabularySize: vocabularySize), fingerprint: fingerprint)
    }
    let first = try plan(["a.txt"])
    #expect(existing(first) == nil)
    _ = try build(first)
    #expect(existing(first) != nil)
    #expect(existing(first, fingerprint: 8) == nil)
    #expect(existing(first, vocabularySize: 300) == nil)
    #expect(existing(try plan(["a.txt"], .fraction(0.2))) == nil)
    try scratch.write("b.txt", lines(9_000))
    #expect(existing(try plan(["*.txt"])) == nil)
    #expect(existing(try plan(["a.txt"])) != nil)
    // The size is equal, the time differs.
    try scratch.write("a.txt", lines(9_000))
    #expect(existing(try plan(["a.txt"])) == nil)
  }

  @Test func aFolderOfTwoBuildsIsRefused() throws {
    try scratch.write("a.txt", lines(9_000))
    try scratch.write("b.txt", lines(9_000, salt: 1))
    _ = try build(try plan(["a.txt"]), "a")
    _ = try build(try plan(["b.txt"]), "b")
    try scratch.write("a/train.tokens", try scratch.read("b/train.tokens"))
    #expect(
      throws: DatasetError.inconsistentShard(
        path: scratch.path("a/train.tokens"),
        reason: "it is not the one that dataset.json describes")
    ) { try Dataset(opening: scratch.path("a")) }
    #expect(
      throws: DatasetError.otherTokenizer(
        folder: scratch.path("b"), found: "0000000000000007", expected: "0000000000000008")
    ) { try Dataset(opening: scratch.path("b"), expecting: 8) }
    // A new build repairs it.
    #expect(try build(try plan(["a.txt"]), "a").train.documentCount == 1)
  }

  @Test func invalidDescriptionsAreRefused() throws {
    #expect(throws: DatasetError.noDataset(folder: scratch.path("none"))) {
      try Dataset(opening: scratch.path("none"))
    }
    let path = scratch.path("x/dataset.json")
    try scratch.write("x/dataset.json", "{")
    #expect(
      throws: DatasetError.brokenDescription(
        path: path, reason: "its JSON is not of the expected form")
    ) { try Dataset(opening: scratch.path("x")) }
    try scratch.write("x/dataset.json", #"{"version": 9}"#)
    #expect(
      throws: DatasetError.brokenDescription(
        path: path, reason: "it has version 9 and this program reads 1")
    ) { try Dataset(opening: scratch.path("x")) }
  }

  @Test func aFullDiskIsAStorageFailure() throws {
    try scratch.write("a.txt", lines(3_000_000))
    try FileManager.default.createDirectory(
      atPath: scratch.path("set"), withIntermediateDirectories: true)
    let temporary = PendingFile.temporaryPath(for: scratch.path("set/train.tokens"))
    try FileManager.default.createSymbolicLink(
      atPath: temporary, withDestinationPath: "/dev/full")
    let error = #expect(throws: DatasetError.self) { try build(try plan(["a.txt"])) }
    #expect(error == .storage(.call(operation: "write", path: temporary, code: ENOSPC)))
    #expect(
      error?.description == "cannot write \(temporary): No space left on device; free some space "
        + "or choose another folder")
    #expect(try scratch.names("set") == [])
  }

  @Test func unwritableFoldersAreReported() throws {
    try scratch.write("a.txt", lines(9_000))
    let plan = try plan(["a.txt"])
    func error(_ folder: String) -> DatasetError? {
      #expect(throws: DatasetError.self) {
        try DatasetBuilder.build(plan, tokenizer: tokenizer, fingerprint: 7, into: folder)
      }
    }
    // Not even root can create a folder here.
    guard
      case .storage(.call("create the folder", "/proc/apus", let code)) = error("/proc/apus/set")
    else { throw DatasetError.noSources }
    #expect([ENOENT, EACCES, EPERM, EROFS].contains(code))
    #expect(
      error(scratch.path("a.txt"))
        == .storage(
          .call(operation: "create the folder", path: scratch.path("a.txt"), code: ENOTDIR)))
    // The folder exists, but no file can be created in it.
    guard case .storage(.call("create", _, let created)) = error("/proc/self/fdinfo")
    else { throw DatasetError.noSources }
    #expect([ENOENT, EACCES, EPERM, EROFS].contains(created))
    if geteuid() != 0 {
      chmod(scratch.path, 0o500)
      guard case .storage = error(scratch.path("set")) else { throw DatasetError.noSources }
      chmod(scratch.path, 0o700)
    }
  }

  @Test func inspectionDecodesDocuments() throws {
    try scratch.write("a.jsonl", "{\"text\":\"one\"}\n{\"text\":\"zwei größe\"}\n")
    let dataset = try build(try plan(["a.jsonl"], .fraction(0)))
    #expect(
      try dataset.train.inspectDocuments(1, tokenizer: tokenizer) == [
        InspectedDocument(index: 0, tokens: 0..<4, text: "one<|endoftext|>")
      ])
    #expect(try texts(dataset.train) == ["one", "zwei größe"])
    #expect(throws: DatasetError.foreignToken(id: 111, vocabularySize: 100)) {
      try dataset.train.inspectDocuments(1, tokenizer: Bytes(vocabularySize: 100))
    }
  }
}
