import Foundation
import TestFolders
import Testing

@testable import Checkpoints

/// Recovery from exactly the files that a crash at each point of a save leaves.
@Suite struct CrashTests {
  private let folder: TemporaryFolder
  private let store: CheckpointStore

  init() throws {
    folder = try TemporaryFolder()
    store = CheckpointStore(path: folder.path)
    try store.claim(attempt: "one")
    try SavedCheckpoint.save(step: 1, in: store)
  }

  private func rename(_ old: String, to new: String) throws {
    try FileManager.default.moveItem(atPath: folder(old), toPath: folder(new))
  }

  /// Expects that before and after the cleanup `step` is the newest checkpoint and none is damaged,
  /// and that the next save works.
  private func expectRecovery(
    at step: Int, contents: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for attempt in ["two", "three"] {
      let recovery = try store.newestVerified()
      #expect(recovery.checkpoint?.step == step, sourceLocation: sourceLocation)
      #expect(recovery.setAside.isEmpty, sourceLocation: sourceLocation)
      try store.claim(attempt: attempt)
    }
    let left = try folder.names().filter { $0.contains(".") }
    #expect(left.isEmpty, sourceLocation: sourceLocation)
    try SavedCheckpoint.save(step: 2, in: store, attempt: "three")
    #expect(try store.newestVerified().checkpoint?.step == 2, sourceLocation: sourceLocation)
  }

  @Test(arguments: 0...6) func crashesWhileWritingTheDraftKeepTheOldCheckpoint(stage: Int) throws {
    let draft = try store.draft(step: 2, attempt: "one")
    let path = "step-00000002.one.tmp"
    for (index, file) in SavedCheckpoint.files(step: 2).prefix(stage).enumerated() {
      let bytes = Array(file.text.utf8)
      // The last file of each stage is incomplete.
      try folder.write(
        index == stage - 1 ? bytes.dropLast(3) : bytes[...], to: "\(path)/\(file.name)")
    }
    if stage > 3 {
      let records = try SavedCheckpoint.write(to: draft)
      let manifest = Manifest(step: 2, files: records).encoded
      let count = [4: 0, 5: manifest.count / 2][stage] ?? manifest.count
      try folder.write(manifest.prefix(count), to: "\(path)/MANIFEST.json")
    }
    try expectRecovery(at: 1)
  }

  @Test func aCrashAfterTheRenameKeepsTheNewCheckpoint() throws {
    try SavedCheckpoint.save(step: 2, in: store)
    try expectRecovery(at: 2)
  }

  @Test func aCrashBeforeTheReplacementRestoresTheOldCheckpoint() throws {
    let draft = try store.draft(step: 1, attempt: "one")
    _ = try SavedCheckpoint.write(to: draft)
    try rename("step-00000001", to: "step-00000001.replaced")
    try expectRecovery(at: 1)
    #expect(try store.publishedSteps() == [1, 2])
  }

  @Test func aCrashAfterTheReplacementKeepsTheNewCheckpoint() throws {
    try FileManager.default.copyItem(
      atPath: folder("step-00000001"), toPath: folder("step-00000001.replaced"))
    try expectRecovery(at: 1)
  }

  @Test func aDamagedReplacementFallsBackToTheReplacedCheckpoint() throws {
    try FileManager.default.copyItem(
      atPath: folder("step-00000001"), toPath: folder("step-00000001.replaced"))
    try folder.write([], to: "step-00000001/state.json")
    let recovery = try store.newestVerified()
    #expect(recovery.checkpoint?.path == folder("step-00000001.replaced"))
    #expect(recovery.setAside.map(\.newName) == ["step-00000001.damaged"])
    try store.claim(attempt: "two")
    #expect(try store.newestVerified().checkpoint?.path == folder("step-00000001"))
  }

  @Test func replacingACheckpointGivesTheNewContents() throws {
    let draft = try store.draft(step: 1, attempt: "one")
    var file = try draft.file("other")
    try file.write("new")
    let published = try draft.publish(files: [file.close()])
    #expect(published.manifest.files.map(\.name) == ["other"])
    #expect(try store.newestVerified().checkpoint == published)
    #expect(try folder.names() == ["ATTEMPT", "step-00000001"])
  }

  @Test func aCrashWhileDeletingLeavesAnIntactCheckpoint() throws {
    try SavedCheckpoint.save(step: 2, in: store)
    try rename("step-00000001", to: "step-00000001.deleting")
    try expectRecovery(at: 2)
    #expect(try store.publishedSteps() == [2])
  }

  @Test func aHalfDeletedCheckpointIsRemoved() throws {
    try SavedCheckpoint.save(step: 2, in: store)
    try rename("step-00000001", to: "step-00000001.deleting")
    try FileManager.default.removeItem(atPath: folder("step-00000001.deleting/MANIFEST.json"))
    try FileManager.default.createDirectory(
      atPath: folder("step-00000001.deleting/a/b"), withIntermediateDirectories: true)
    try expectRecovery(at: 2)
  }
}
