import Foundation
import TestFolders
import Testing

@testable import Checkpoints

@Suite struct CheckpointTests {
  private let folder: TemporaryFolder
  private let whole: Checkpoint

  init() throws {
    folder = try TemporaryFolder()
    whole = try SavedCheckpoint.save(step: 7, in: CheckpointStore(path: folder.path))
  }

  private func expectDamage(sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(sourceLocation: sourceLocation) {
      try Checkpoint(verifying: whole.path)
    } throws: {
      switch $0 as? CheckpointError {
      case .damaged, .notACheckpoint: true
      default: false
      }
    }
  }

  @Test func aPublishedCheckpointVerifies() throws {
    #expect(whole.path == folder("step-00000007"))
    #expect(try Checkpoint(verifying: whole.path) == whole)
    #expect(try Checkpoint(verifying: whole.path + "/") == whole)
    #expect(
      try folder.names(in: "step-00000007")
        == ["MANIFEST.json", "empty", "model.safetensors", "state.json"])
    #expect(try whole.path(of: "empty") == whole.path + "/empty")
    #expect(throws: CheckpointError.self) { try whole.path(of: "MANIFEST.json") }
  }

  @Test func everyFlippedByteIsDetected() throws {
    for name in try folder.names(in: "step-00000007") {
      let path = "step-00000007/\(name)"
      let bytes = try folder.read(path)
      for index in bytes.indices {
        var flipped = bytes
        flipped[index] ^= 1 << UInt8(index % 8)
        try folder.write(flipped, to: path)
        expectDamage()
      }
      try folder.write(bytes, to: path)
    }
    #expect(try Checkpoint(verifying: whole.path) == whole)
  }

  @Test func everyTruncationAndAdditionIsDetected() throws {
    for name in try folder.names(in: "step-00000007") {
      let path = "step-00000007/\(name)"
      let bytes = try folder.read(path)
      for count in stride(from: 0, to: bytes.count, by: 3) {
        try folder.write(bytes.prefix(count), to: path)
        expectDamage()
      }
      try folder.write(bytes + [0x20], to: path)
      expectDamage()
      try folder.write(bytes, to: path)
    }
  }

  @Test func missingAndReplacedFilesAreDetected() throws {
    let names = try folder.names(in: "step-00000007")
    for name in names {
      let path = folder("step-00000007/\(name)")
      try FileManager.default.moveItem(atPath: path, toPath: folder("aside"))
      expectDamage()
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      expectDamage()
      try FileManager.default.removeItem(atPath: path)
      // Opening a FIFO for reading would block forever.
      try #require(mkfifo(path, 0o600) == 0)
      expectDamage()
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.moveItem(atPath: folder("aside"), toPath: path)
    }
    #expect(try Checkpoint(verifying: whole.path) == whole)
  }

  @Test func aManifestThatIsNoRegularFileIsNamed() throws {
    let path = folder("step-00000007/MANIFEST.json")
    try FileManager.default.removeItem(atPath: path)
    try #require(mkfifo(path, 0o600) == 0)
    let error = CheckpointError.damaged(path: path, reason: "it is not a regular file")
    #expect(throws: error) { try Checkpoint(verifying: whole.path) }
    #expect(throws: error) { try ModelFolder(path: whole.path) }
    #expect(throws: error) { try ModelFolder(unverified: whole.path) }
  }

  @Test func filesThatTheManifestDoesNotListAreIgnored() throws {
    try folder.write([1], to: "step-00000007/notes.txt")
    #expect(try Checkpoint(verifying: whole.path) == whole)
  }

  @Test func aCopyVerifiesUnlessItsNameHasAnotherStep() throws {
    let manager = FileManager.default
    try manager.copyItem(atPath: whole.path, toPath: folder("best"))
    #expect(try Checkpoint(verifying: folder("best")).step == 7)
    try manager.copyItem(atPath: whole.path, toPath: folder("step-00000008"))
    #expect(throws: CheckpointError.self) { try Checkpoint(verifying: folder("step-00000008")) }
  }

  @Test func foldersWithoutAManifestAreNotCheckpoints() throws {
    try folder.write([], to: "file")
    let reasons = [
      ("none", "it does not exist"), ("file", "it is not a folder"),
      (".", "it has no MANIFEST.json"),
    ]
    for (name, reason) in reasons {
      #expect(throws: CheckpointError.notACheckpoint(path: folder(name), reason: reason)) {
        try Checkpoint(verifying: folder(name))
      }
    }
  }
}
