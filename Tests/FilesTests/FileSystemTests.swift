import Foundation
import Glibc
import TestFolders
import Testing

@testable import Files

@Suite struct FileSystemTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func missingFoldersAreCreatedAndReturned() throws {
    #expect(
      try FileSystem.makeFolder(folder("a/b/c")) == [folder("a"), folder("a/b"), folder("a/b/c")])
    #expect(try FileSystem.makeFolder(folder("a/b/")).isEmpty)
    try folder.write([], to: "file")
    for path in ["file", "file/below"] {
      let blocked = StorageError.call(
        operation: "create the folder", path: folder("file"), code: ENOTDIR)
      #expect(throws: blocked) { try FileSystem.makeFolder(folder(path)) }
    }
    // No folder can be created here, and no number of attempts changes that.
    #expect(throws: StorageError.self) { try FileSystem.makeFolder("/proc/apus/below") }
  }

  @Test func namesAreSortedByTheirBytes() throws {
    for name in ["b", "a", ".c", "é", "Z"] { try folder.write([], to: name) }
    #expect(try FileSystem.names(in: folder.path) == [".c", "Z", "a", "b", "é"])
    #expect(throws: StorageError.self) { try FileSystem.names(in: folder("a")) }
  }

  @Test func kindsFollowLinksAndExistenceDoesNot() throws {
    try folder.write([1, 2], to: "file")
    #expect(symlink(folder("file"), folder("link")) == 0)
    #expect(symlink(folder("none"), folder("dangling")) == 0)
    #expect(try FileSystem.kind(of: folder("link")) == .file)
    #expect(try FileSystem.kind(of: folder.path) == .folder)
    #expect(try FileSystem.kind(of: "/dev/null") == .other)
    #expect(try FileSystem.kind(of: folder("dangling")) == nil)
    #expect(try FileSystem.kind(of: folder("file/below")) == nil)
    #expect(try FileSystem.exists(folder("dangling")))
    #expect(FileStatus(folder("link"))?.identity == FileStatus(folder("file"))?.identity)
    #expect(FileStatus(folder("link"))?.byteCount == 2)
  }

  @Test func treesAreRemovedWithoutFollowingLinks() throws {
    try folder.write([1], to: "kept")
    try FileSystem.makeFolder(folder("tree/deep"))
    #expect(symlink(folder("kept"), folder("tree/deep/link")) == 0)
    try FileSystem.removeTree(folder("tree"))
    try FileSystem.removeTree(folder("tree"))
    #expect(try folder.names() == ["kept"])
  }

  @Test(arguments: [
    ("a/b", "a"), ("a/b/", "a"), ("/a", "/"), ("/", "/"), ("a", "."), ("", "."), ("//", "/"),
  ])
  func theParentOfAPathIsAFolder(path: String, parent: String) {
    #expect(FileSystem.parent(of: path) == parent)
  }

  @Test func contentsAreReadUpToTheLimit() throws {
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    try folder.write(bytes, to: "a")
    #expect(try InputFile(folder("a")).contents() == bytes)
    #expect(try InputFile(folder("a")).contents(limit: 70_000) == Array(bytes[..<70_000]))
    #expect(throws: StorageError.call(operation: "read", path: folder.path, code: EISDIR)) {
      try InputFile(folder.path).contents()
    }
  }

  @Test func onlyRegularFilesAreMapped() throws {
    try folder.write([1, 2, 3], to: "a")
    try folder.write([], to: "empty")
    let mapped = try MappedFile(folder("a"))
    withExtendedLifetime(mapped) { #expect(Array(mapped.bytes) == [1, 2, 3]) }
    #expect(try MappedFile(folder("empty")).bytes.count == 0)
    #expect(throws: StorageError.self) { try MappedFile(folder.path) }
    #expect(throws: StorageError.notAFile(path: "/dev/zero")) { try MappedFile("/dev/zero") }
    #expect(throws: StorageError.self) { try MappedFile(folder("none")) }
  }

  /// A FIFO would be waited for, a device read or written without end.
  @Test func onlyRegularFilesAreOpened() throws {
    try #require(mkfifo(folder("fifo"), 0o600) == 0)
    try #require(symlink("/dev/zero", folder("device")) == 0)
    // A socket cannot be opened at all.
    for name in ["fifo", "device"] {
      let path = folder(name)
      #expect(throws: StorageError.notAFile(path: path)) { try InputFile(path) }
      #expect(throws: StorageError.notAFile(path: path)) { try InputFile.contents(of: path) }
      #expect(throws: StorageError.occupied(path: path)) { _ = try OutputFile(path) }
      #expect(throws: StorageError.occupied(path: path)) {
        _ = try OutputFile(path, flags: O_APPEND)
      }
      #expect(throws: StorageError.occupied(path: path)) { try PendingFile.write([1], to: path) }
    }
    // With its other end open.
    let reader = open(folder("fifo"), O_RDONLY | O_NONBLOCK)
    try #require(reader >= 0)
    defer { close(reader) }
    #expect(throws: StorageError.occupied(path: folder("fifo"))) {
      _ = try OutputFile(folder("fifo"))
    }
    try PendingFile.write([7], to: folder("fifo"), acceptsDevice: true)
    var byte: UInt8 = 0
    #expect(read(reader, &byte, 1) == 1 && byte == 7)
  }

  @Test func aPendingFileAppearsWholeOrNotAtAll() throws {
    try folder.write([9], to: "a")
    do {
      var file = try PendingFile(folder("a"))
      try file.write([1, 2, 3])
      try file.write([7], at: 1)
      #expect(try folder.names().count == 2 && folder.read("a") == [9])
      try file.finish()
      try file.publish()
    }
    #expect(try folder.names() == ["a"] && folder.read("a") == [1, 7, 3])
    do {
      let file = try PendingFile(folder("a"))
      try file.write([5])
    }
    #expect(try folder.names() == ["a"] && folder.read("a") == [1, 7, 3])
    // The missing folders above it are created.
    try PendingFile.write([1], to: folder("taken/full/b"))
    let failure = #expect(throws: StorageError.self) {
      try PendingFile.write([1], to: folder("taken"))
    }
    #expect(failure == .call(operation: "replace", path: folder("taken"), code: EISDIR))
    #expect(try folder.names() == ["a", "taken"])
  }

  /// As from `--output /dev/stdout`, or to a link.
  @Test func pipesAreWrittenInPlaceAndLinksStay() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { ends.forEach { close($0) } }
    try #require(symlink("/proc/self/fd/\(ends[1])", folder("pipe")) == 0)
    try PendingFile.write([1, 2], to: folder("pipe"), acceptsDevice: true)
    var file = try DurableFile(creating: folder("pipe"))
    try file.write([3])
    _ = try file.close()
    var bytes: [UInt8] = [0, 0, 0, 0]
    #expect(read(ends[0], &bytes, 4) == 3 && bytes == [1, 2, 3, 0])
    try folder.write([9], to: "target")
    try #require(symlink("target", folder("link")) == 0)
    try PendingFile.write([5], to: folder("link"))
    #expect(try folder.names() == ["link", "pipe", "target"] && folder.read("target") == [5])
    var status = stat()
    #expect(lstat(folder("link"), &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
  }

  @Test func aFullDiskLeavesTheUnwrittenBytes() throws {
    let full = try OutputFile("/dev/full", acceptsDevice: true)
    var bytes: [UInt8] = [1, 2]
    let failure = StorageError.call(operation: "write", path: "/dev/full", code: ENOSPC)
    #expect(throws: failure) { try full.drain(&bytes) }
    #expect(bytes == [1, 2])
    let whole = try OutputFile(folder("a"))
    try whole.drain(&bytes)
    #expect(try bytes.isEmpty && folder.read("a") == [1, 2])
    try whole.truncate(to: 1)
    try whole.synchronize()
    #expect(try folder.read("a") == [1])
  }
}

@Suite struct FreeSpaceTests {
  @Test func theSpaceOfAPathThatDoesNotExistIsThatOfItsFolder() throws {
    #expect(try FileSystem.freeBytes(at: "/tmp") > 0)
    let wanted = try FileSystem.freeBytes(at: "/proc")
    #expect(try FileSystem.freeBytes(at: "/proc/none/of/these") == wanted)
    #expect(try FileSystem.freeBytes(at: "no-such-folder/run") > 0)
    #expect(try FileSystem.freeBytes(at: "/no-such-folder") > 0)
  }
}
