import Foundation
import Glibc
import TestFolders
import Testing

@testable import Files

@Suite struct DurableFileTests {
  @Test func everyByteIsWrittenAndRecorded() throws {
    let folder = try TemporaryFolder()
    var file = try DurableFile(creating: folder("a.txt"))
    try file.write("ab")
    try file.write([])
    try file.write("c")
    let record = try file.close()
    // FIPS 180-2, appendix B.1.
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    #expect(record == FileRecord(name: "a.txt", size: 3, sha256: digest))
    #expect(try folder.read("a.txt") == Array("abc".utf8))
  }

  @Test func filesOfSeveralChunksAreWritten() throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<(2 * DurableFile.chunkSize + 5)).map { UInt8(truncatingIfNeeded: $0 / 251) }
    var whole = try DurableFile(creating: folder("whole"))
    try whole.write(bytes)
    var parts = try DurableFile(creating: folder("parts"))
    try parts.write(Array(bytes[..<1000]))
    try parts.write(Array(bytes[1000...]))
    let (first, second) = (try whole.close(), try parts.close())
    #expect(first.size == bytes.count)
    #expect(first.sha256 == second.sha256)
    #expect(try folder.read("whole") == bytes)
    #expect(try folder.read("parts") == bytes)
  }

  @Test func anExistingFileIsTruncated() throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], to: "a")
    #expect(try DurableFile(creating: folder("a")).close().size == 0)
    #expect(try folder.read("a").isEmpty)
  }

  @Test func aDroppedFileIsRemoved() throws {
    let folder = try TemporaryFolder()
    do {
      var file = try DurableFile(creating: folder("a"))
      try file.write("half")
    }
    #expect(try folder.names().isEmpty)
  }

  @Test func creationErrorsNameTheCause() throws {
    let folder = try TemporaryFolder()
    try folder.write([], to: "file")
    let below = folder("file/a")
    #expect(throws: StorageError.call(operation: "create", path: below, code: ENOTDIR)) {
      _ = try DurableFile(creating: below).close()
    }
    let missing = folder("none/a")
    #expect(throws: StorageError.call(operation: "create", path: missing, code: ENOENT)) {
      _ = try DurableFile(creating: missing).close()
    }
    #expect(throws: StorageError.call(operation: "create", path: folder.path, code: EISDIR)) {
      _ = try DurableFile(creating: folder.path).close()
    }
  }

  @Test func everyCallFailsAfterAFailedWrite() throws {
    let folder = try TemporaryFolder()
    // Every write to /dev/full fails with ENOSPC.
    try #require(symlink("/dev/full", folder("a")) == 0)
    let full = StorageError.call(operation: "write", path: folder("a"), code: ENOSPC)
    func attempt() throws {
      var file = try DurableFile(creating: folder("a"))
      #expect(throws: full) { try file.write("x") }
      #expect(throws: full) { try file.write("y") }
      _ = try file.close()
    }
    #expect(throws: full) { try attempt() }
    // Neither the link nor the device is removed.
    #expect(try folder.names() == ["a"])
  }

  /// A device that refuses the bytes stays where it is.
  @Test func devicesAreNotRemoved() throws {
    let folder = try TemporaryFolder()
    // The numbers of /dev/full.
    guard mknod(folder("full"), S_IFCHR | 0o666, 1 << 8 | 7) == 0 else {
      print("SKIPPED: the test that devices stay, because making a device is not permitted")
      return
    }
    func attempt() throws {
      var file = try DurableFile(creating: folder("full"))
      try file.write("x")
      _ = try file.close()
    }
    #expect(throws: StorageError.self) { try attempt() }
    #expect(try folder.names() == ["full"])
  }

  @Test(.enabled(if: TemporaryFolder.mayMount, "mounting is not permitted"))
  func aFullDiskIsReported() throws {
    let folder = try TemporaryFolder()
    try #require(folder.mount(bytes: 65536))
    func attempt() throws {
      var file = try DurableFile(creating: folder("a"))
      try file.write([UInt8](repeating: 1, count: 1 << 20))
      _ = try file.close()
    }
    #expect(throws: StorageError.call(operation: "write", path: folder("a"), code: ENOSPC)) {
      try attempt()
    }
    #expect(try folder.names().isEmpty)
  }

  @Test(.enabled(if: TemporaryFolder.mayMount, "mounting is not permitted"))
  func aReadOnlyDiskIsReported() throws {
    let folder = try TemporaryFolder()
    try #require(folder.mount(bytes: 65536) && folder.makeReadOnly())
    #expect(throws: StorageError.call(operation: "create", path: folder("a"), code: EROFS)) {
      _ = try DurableFile(creating: folder("a")).close()
    }
  }
}
