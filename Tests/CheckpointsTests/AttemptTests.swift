import Files
import Glibc
import TestFolders
import Testing

@testable import Checkpoints

/// An attempt that was presumed dead keeps writing while the next one runs.
@Suite struct AttemptTests {
  private let folder: TemporaryFolder
  private let store: CheckpointStore

  init() throws {
    folder = try TemporaryFolder()
    store = CheckpointStore(path: folder.path)
    try store.claim(attempt: "old")
  }

  private var superseded: StorageError {
    .superseded(path: folder.path, attempt: "old", holder: "new")
  }

  @Test func aSupersededAttemptCannotPublish() throws {
    let draft = try store.draft(step: 5, attempt: "old")
    let records = try SavedCheckpoint.write(to: draft)
    var late = try draft.file("late")
    try late.write("half")
    try store.claim(attempt: "new")
    #expect(try folder.names() == ["ATTEMPT"])
    try late.write("the rest")
    #expect(try late.close().size == 12)
    #expect(throws: superseded) { try draft.publish(files: records) }
    #expect(throws: superseded) { try SavedCheckpoint.save(step: 6, in: store, attempt: "old") }
    #expect(throws: superseded) { try store.removeStale(exceptAttempt: "old") }
    #expect(throws: superseded) { try store.prune(RetentionPolicy(keep: 1), attempt: "old") }
    #expect(try folder.names() == ["ATTEMPT"])
  }

  @Test func attemptsAreCounted() throws {
    #expect(try store.claim(attempt: "second") == 2)
    #expect(try store.claim(attempt: "third") == 3)
    // A release that did not count wrote the token alone.
    try folder.write(Array("17-4".utf8), to: "ATTEMPT")
    #expect(try store.claim(attempt: "next") == 1)
    for (number, name) in [(Int.max, "last"), (Int.max - 1, "later")] {
      try folder.write(Array("\(number) 17-4".utf8), to: "ATTEMPT")
      #expect(try store.claim(attempt: name) == 1)
      try store.requireClaim(attempt: name, isMade: true)
    }
    unlink(folder("ATTEMPT"))
    #expect(throws: StorageError.self) { try store.requireClaim(attempt: "later", isMade: true) }
  }

  @Test func aSupersededAttemptDoesNotChangeTheNewDraft() throws {
    let old = try store.draft(step: 5, attempt: "old")
    _ = try SavedCheckpoint.write(to: old)
    try store.claim(attempt: "new")
    let new = try store.draft(step: 5, attempt: "new")
    let records = try SavedCheckpoint.write(to: new)
    try store.discardDraft(step: old.step, attempt: "old")
    let absent = StorageError.call(
      operation: "create", path: old.path + "/model.safetensors", code: ENOENT)
    #expect(throws: absent) {
      _ = try SavedCheckpoint.write(to: old)
    }
    #expect(try new.publish(files: records).step == 5)
    #expect(try store.newestVerified().checkpoint?.step == 5)
  }

  @Test func removeStaleRemovesOnlyLeftovers() throws {
    try SavedCheckpoint.save(step: 1, in: store, attempt: "old")
    _ = try SavedCheckpoint.write(to: store.draft(step: 2, attempt: "old"))
    try folder.write([], to: "ATTEMPT.dead.tmp")
    try folder.write([], to: "step-00000001.deleting-3")
    try folder.write([], to: "step-00000001.damaged")
    try folder.write([], to: "notes.txt")
    try store.removeStale(exceptAttempt: "old")
    #expect(
      try folder.names() == [
        "ATTEMPT", "notes.txt", "step-00000001", "step-00000001.damaged", "step-00000002.old.tmp",
      ])
    try store.claim(attempt: "new")
    #expect(
      try folder.names() == ["ATTEMPT", "notes.txt", "step-00000001", "step-00000001.damaged"])
  }
}
