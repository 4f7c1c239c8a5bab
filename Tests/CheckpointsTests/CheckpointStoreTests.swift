import Files
import Foundation
import Glibc
import TestFolders
import Testing

@testable import Checkpoints

@Suite struct CheckpointStoreTests {
  private let folder: TemporaryFolder
  private let store: CheckpointStore

  init() throws {
    folder = try TemporaryFolder()
    store = CheckpointStore(path: folder("run/checkpoints"))
  }

  private func names() throws -> [String] { try folder.names(in: "run/checkpoints") }

  @Test func anEmptyStoreHasNoCheckpoint() throws {
    #expect(try store.newestVerified() == Recovery(checkpoint: nil, setAside: []))
    #expect(try store.publishedSteps() == [])
    try store.claim(attempt: "one")
    #expect(try store.newestVerified() == Recovery(checkpoint: nil, setAside: []))
    #expect(try names() == ["ATTEMPT"])
  }

  @Test func theNewestPublishedCheckpointIsFound() throws {
    try store.claim(attempt: "one")
    for step in [2, 1, 100_000_000] { try SavedCheckpoint.save(step: step, in: store) }
    #expect(try names() == ["ATTEMPT", "step-00000001", "step-00000002", "step-100000000"])
    #expect(try store.publishedSteps() == [1, 2, 100_000_000])
    let recovery = try store.newestVerified()
    #expect(recovery.checkpoint?.step == 100_000_000)
    #expect(recovery.setAside.isEmpty)
  }

  @Test func checkpointsOfUndoneStepsAreRemoved() throws {
    try store.claim(attempt: "one")
    for step in [3, 5, 7] { try SavedCheckpoint.save(step: step, in: store) }
    #expect(try store.removeCheckpoints(after: 7, attempt: "one") == [])
    #expect(try store.removeCheckpoints(after: 3, attempt: "one") == [7, 5])
    #expect(try names() == ["ATTEMPT", "step-00000003"])
    #expect(throws: StorageError.self) { try store.removeCheckpoints(after: 0, attempt: "two") }
    #expect(try store.publishedSteps() == [3])
  }

  @Test func damagedCheckpointsAreSetAsideWithAReason() throws {
    for step in 1...4 { try SavedCheckpoint.save(step: step, in: store) }
    try folder.write([1], to: "run/checkpoints/step-00000004/state.json")
    try FileManager.default.removeItem(
      atPath: folder("run/checkpoints/step-00000003/MANIFEST.json"))
    try folder.write([], to: "run/checkpoints/step-00000003.damaged")
    let recovery = try store.newestVerified()
    #expect(recovery.checkpoint?.step == 2)
    #expect(recovery.setAside.map(\.name) == ["step-00000004", "step-00000003"])
    #expect(
      recovery.setAside.map(\.newName) == ["step-00000004.damaged", "step-00000003.damaged-1"])
    #expect(recovery.setAside[0].reason.contains("state.json is damaged: it has 1 bytes"))
    for entry in recovery.setAside {
      let path = "run/checkpoints/\(try #require(entry.newName))/REASON.txt"
      #expect(try folder.read(path) == Array((entry.reason + "\n").utf8))
    }
    #expect(try store.newestVerified() == Recovery(checkpoint: recovery.checkpoint, setAside: []))
  }

  @Test func aReaderSkipsDamagedCheckpoints() throws {
    #expect(try store.newestIntact() == Recovery(checkpoint: nil, setAside: []))
    for step in 1...2 { try SavedCheckpoint.save(step: step, in: store) }
    try folder.write([1], to: "run/checkpoints/step-00000002/state.json")
    let recovery = try store.newestIntact()
    #expect(recovery.checkpoint?.step == 1)
    #expect(recovery.setAside.map(\.name) == ["step-00000002"])
    #expect(recovery.setAside.first?.newName == nil)
    #expect(recovery.setAside.first?.reason.contains("state.json is damaged") == true)
    #expect(try names().contains("step-00000002"))
  }

  /// The known checkpoint is damaged on the disk, which only a second read would detect.
  @Test func aJustVerifiedCheckpointIsNotReadAgain() throws {
    try SavedCheckpoint.save(step: 1, in: store)
    let known = try #require(try store.newestIntact().checkpoint)
    let path = "run/checkpoints/step-00000001/state.json"
    var bytes = try folder.read(path)
    bytes[0] ^= 1
    try folder.write(bytes, to: path)
    #expect(try store.newestVerified(known: known).checkpoint == known)
    // Another checkpoint of the same name is verified again.
    let other = Checkpoint(
      path: known.path, manifest: Manifest(step: 1, files: Array(known.manifest.files.dropLast())))
    #expect(try store.newestVerified(known: other).setAside.map(\.name) == ["step-00000001"])
    // An older known checkpoint is not returned when there is a newer one.
    try SavedCheckpoint.save(step: 1, in: store)
    let older = try #require(try store.newestIntact().checkpoint)
    try SavedCheckpoint.save(step: 2, in: store)
    #expect(try store.newestVerified(known: older).checkpoint?.step == 2)
  }

  @Test func aFileWithACheckpointsNameIsSetAside() throws {
    try SavedCheckpoint.save(step: 1, in: store)
    try folder.write([], to: "run/checkpoints/step-00000002")
    let recovery = try store.newestVerified()
    #expect(recovery.checkpoint?.step == 1)
    #expect(recovery.setAside.map(\.newName) == ["step-00000002.damaged"])
  }

  @Test func aCheckpointOfANewerReleaseIsAnError() throws {
    try SavedCheckpoint.save(step: 1, in: store)
    try SavedCheckpoint.save(step: 2, in: store)
    let path = "run/checkpoints/step-00000002/MANIFEST.json"
    let body = "{\n  \"version\": 9,\n"
    var file = try DurableFile(creating: folder("body"))
    try file.write(body)
    let seal = "  \"manifest\": \"\(try file.close().sha256)\"\n}\n"
    try folder.write(Array((body + seal).utf8), to: path)
    let error = CheckpointError.unknownVersion(path: folder(path), found: 9, supported: 1)
    #expect(throws: error) { try store.newestVerified() }
    #expect(try names() == ["step-00000001", "step-00000002"])
  }

  /// A file that cannot be opened is the fault of its checkpoint, not of the disk.
  @Test func aFileThatCannotBeOpenedIsDamage() throws {
    try SavedCheckpoint.save(step: 1, in: store)
    try SavedCheckpoint.save(step: 2, in: store)
    // A link to itself cannot be opened, even by root.
    let path = folder("run/checkpoints/step-00000002/state.json")
    try FileManager.default.removeItem(atPath: path)
    try #require(symlink(path, path) == 0)
    let recovery = try store.newestVerified()
    #expect(recovery.checkpoint?.path == folder("run/checkpoints/step-00000001"))
    #expect(try !names().contains("step-00000002"))
  }

  @Test(.enabled(if: TemporaryFolder.mayMount, "mounting is not permitted"))
  func damagedCheckpointsInAReadOnlyFolderAreSkipped() throws {
    try #require(folder.mount(bytes: 1 << 20))
    for step in 1...2 { try SavedCheckpoint.save(step: step, in: store) }
    try folder.write([], to: "run/checkpoints/step-00000002/state.json")
    try #require(folder.makeReadOnly())
    let recovery = try store.newestVerified()
    #expect(recovery.checkpoint?.step == 1)
    #expect(recovery.setAside.map(\.name) == ["step-00000002"])
    #expect(recovery.setAside.map(\.newName) == [nil])
    #expect(throws: StorageError.self) { try SavedCheckpoint.save(step: 3, in: store) }
    #expect(try names() == ["step-00000001", "step-00000002"])
  }

  @Test(.enabled(if: TemporaryFolder.mayMount, "mounting is not permitted"))
  func aFullDiskKeepsTheOldCheckpoint() throws {
    try #require(folder.mount(bytes: 256 << 10))
    try SavedCheckpoint.save(step: 1, in: store)
    #expect(throws: Never.self) { try store.requireSpace(bytes: 100 << 10) }
    #expect {
      try store.requireSpace(bytes: 1 << 20)
    } throws: {
      guard case .full(_, 1_048_576, let available) = $0 as? StorageError else { return false }
      return (1..<(256 << 10)).contains(available)
    }
    let draft = try store.draft(step: 2, attempt: "one")
    func fill() throws {
      var file = try draft.file("model.safetensors")
      try file.write([UInt8](repeating: 1, count: 1 << 20))
      _ = try file.close()
    }
    let path = draft.path + "/model.safetensors"
    let full = StorageError.call(operation: "write", path: path, code: ENOSPC)
    #expect(throws: full) { try fill() }
    try store.discardDraft(step: draft.step, attempt: draft.attempt)
    #expect(try names() == ["step-00000001"])
    #expect(try store.newestVerified().checkpoint?.step == 1)
    try SavedCheckpoint.save(step: 3, in: store)
    #expect(try store.newestVerified().checkpoint?.step == 3)
  }

  @Test(.enabled(if: TemporaryFolder.mayMount, "mounting is not permitted"))
  func fallbackWorksWithoutRoomForTheReasonFile() throws {
    try #require(folder.mount(bytes: 256 << 10))
    for step in 1...2 { try SavedCheckpoint.save(step: step, in: store) }
    try folder.write([], to: "run/checkpoints/step-00000002/model.safetensors")
    _ = try? folder.write([UInt8](repeating: 1, count: 1 << 20), to: "ballast")
    let filler = open(folder("filler"), O_WRONLY | O_CREAT, 0o600)
    var page = [UInt8](repeating: 1, count: 4096)
    while Glibc.write(filler, &page, page.count) > 0 {}
    close(filler)
    let recovery = try store.newestVerified()
    #expect(recovery.checkpoint?.step == 1)
    #expect(recovery.setAside.map(\.newName) == ["step-00000002.damaged"])
  }

  @Test func pruningDeletesWhatThePolicyDoesNotKeep() throws {
    try store.claim(attempt: "one")
    for step in 1...6 { try SavedCheckpoint.save(step: step, in: store) }
    let policy = RetentionPolicy(keep: 2, keepEvery: 3)
    #expect(try store.prune(policy, protecting: [1], attempt: "one") == [2, 4])
    #expect(try store.publishedSteps() == [1, 3, 5, 6])
    #expect(try names().count == 5)
  }

  @Test func missingOrShortFilesAreNotPublished() throws {
    let draft = try store.draft(step: 1, attempt: "one")
    var records = try SavedCheckpoint.write(to: draft)
    records.append(FileRecord(name: "shard", size: 1, sha256: ""))
    let absent = StorageError.call(operation: "open", path: draft.path + "/shard", code: ENOENT)
    #expect(throws: absent) {
      try draft.publish(files: records)
    }
    try folder.write([1, 2], to: "run/checkpoints/step-00000001.one.tmp/shard")
    let incomplete = StorageError.incomplete(path: draft.path + "/shard", expected: 1, found: 2)
    #expect(throws: incomplete) { try draft.publish(files: records) }
    #expect(try store.publishedSteps() == [])
  }
}
