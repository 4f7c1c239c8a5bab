import Glibc
import Testing

@testable import Files

@Suite struct StorageErrorTests {
  @Test(arguments: [
    (ENOSPC, "the disk or quota is full at p; free some space or keep fewer checkpoints"),
    (EDQUOT, "the disk or quota is full at p; free some space or keep fewer checkpoints"),
    (EROFS, "cannot write p because its file system is read-only; choose another folder"),
    (EACCES, "no permission to sync p; change its owner or mode, or choose another folder"),
    (EPERM, "no permission to sync p; change its owner or mode, or choose another folder"),
    (ENOENT, "p does not exist; check the path, and whether another process removed it"),
    (EIO, "cannot sync p: Input/output error; check the disk or its mount"),
  ])
  func everyErrorOfACallHasItsSentence(code: Int32, sentence: String) {
    let error = StorageError.call(operation: "sync", path: "p", code: code)
    #expect(error.description == sentence)
  }

  @Test func everySentenceIsOneLineWithPathAndRemedy() {
    let errors: [StorageError] = [
      .full(path: "PATH", needed: 20, available: 10),
      .incomplete(path: "PATH", expected: 2, found: 1),
      .superseded(path: "PATH", attempt: "a", holder: "b"),
      .call(operation: "open", path: "PATH", code: EIO),
    ]
    for sentence in errors.map(\.description) {
      #expect(sentence.contains("PATH") && sentence.contains("; ") && !sentence.contains("\n"))
    }
    #expect(errors[0].description.contains("20 bytes are needed and 10 are free"))
  }

  @Test func aModuleConvertsFailures() {
    struct ModuleError: StorageErrorConvertible, Equatable {
      let failure: StorageError
      init(_ failure: StorageError) { self.failure = failure }
    }
    let failure = StorageError.call(operation: "read", path: "p", code: EIO)
    #expect(throws: ModuleError(failure)) {
      try ModuleError.wrapping { () throws(StorageError) in throw failure }
    }
  }
}
