import Glibc
import Testing

@testable import Checkpoints

@Suite struct StorageErrorTests {
  @Test(arguments: [
    (ENOSPC, StorageError.full(path: "p", needed: nil, available: nil)),
    (EDQUOT, .full(path: "p", needed: nil, available: nil)),
    (EROFS, .readOnly(path: "p")),
    (EACCES, .denied(path: "p", operation: "write")),
    (EPERM, .denied(path: "p", operation: "write")),
    (ENOENT, .notFound(path: "p")),
    (EIO, .io(path: "p", operation: "write", code: EIO)),
  ])
  func errorCodesMapToCases(code: Int32, error: StorageError) {
    #expect(StorageError(code: code, operation: "write", path: "p") == error)
  }

  @Test func messagesSayWhatWhereAndWhy() {
    let error = StorageError.io(path: "/runs/a", operation: "sync", code: EIO)
    #expect(
      error.description == "cannot sync /runs/a: Input/output error; check the disk or its mount")
    let full = StorageError.full(path: "/runs/a", needed: 20, available: 10)
    #expect(full.description.contains("20 bytes are needed and 10 are free"))
  }

  @Test func everyMessageIsOneLineWithItsPath() {
    let storage: [StorageError] = [
      .full(path: "PATH", needed: 1, available: 0),
      .full(path: "PATH", needed: nil, available: nil),
      .readOnly(path: "PATH"), .denied(path: "PATH", operation: "open"), .notFound(path: "PATH"),
      .incomplete(path: "PATH", expected: 2, found: 1),
      .superseded(path: "PATH", attempt: "a", holder: "b"),
      .io(path: "PATH", operation: "open", code: EIO),
    ]
    let contents: [CheckpointError] = [
      .noModel(path: "PATH", reason: "r"), .notACheckpoint(path: "PATH", reason: "r"),
      .damaged(path: "PATH", reason: "r"),
      .unknownVersion(path: "PATH", found: 2, supported: 1),
      .otherModel(path: "PATH", faults: ["width is 2, not 1"]),
      .badSafeTensors(path: "PATH", reason: "r"), .missingTensor(path: "PATH", name: "n"),
    ]
    for sentence in storage.map(\.description) + contents.map(\.description) {
      #expect(sentence.contains("PATH") && sentence.contains("; ") || sentence.contains("PATH;"))
      #expect(!sentence.contains("\n"))
    }
  }
}
