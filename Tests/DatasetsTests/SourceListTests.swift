import Foundation
import Testing

@testable import Datasets

struct SourceListTests {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    for name in [
      "a.txt", "b.jsonl", "Z.txt.gz", "sub/c.txt", "sub/deep/d.jsonl.gz", "sub/.hidden.txt",
      "sub/notes.md", ".git/e.txt", "é.txt", "a10.txt", "a2.txt",
    ] { try scratch.write(name, "x") }
  }

  func names(_ entries: [String]) throws -> [String] {
    try SourceList(entries, relativeTo: scratch.path).files.map {
      String($0.path.dropFirst(scratch.path.count + 1))
    }
  }

  @Test func foldersAreReadRecursivelyInByteOrder() throws {
    let list = try SourceList(["."], relativeTo: scratch.path)
    #expect(
      try names(["."]) == [
        "Z.txt.gz", "a.txt", "a10.txt", "a2.txt", "b.jsonl", "sub/c.txt", "sub/deep/d.jsonl.gz",
        "é.txt",
      ])
    #expect(list.ignored == [scratch.path("sub/notes.md")])
  }

  @Test(arguments: [
    (["*.txt"], ["a.txt", "a10.txt", "a2.txt", "é.txt"]),
    (["?.txt"], ["a.txt", "é.txt"]),
    (["a[0-9]*.txt"], ["a10.txt", "a2.txt"]),
    (["a[!1].txt"], ["a2.txt"]),
    (["a[^13].txt"], ["a2.txt"]),
    (["[ab].*"], ["a.txt", "b.jsonl"]),
    (["**/*.txt"], ["a.txt", "a10.txt", "a2.txt", "sub/c.txt", "é.txt"]),
    (["**/**/d.*"], ["sub/deep/d.jsonl.gz"]),
    (["sub/**/*.gz"], ["sub/deep/d.jsonl.gz"]),
    (["s*/*.txt"], ["sub/c.txt"]),
    (["sub/deep/**"], ["sub/deep/d.jsonl.gz"]),
    (
      ["sub", "./a.txt", "a.txt", "*.txt.gz"],
      ["Z.txt.gz", "a.txt", "sub/c.txt", "sub/deep/d.jsonl.gz"]
    ),
  ])
  func globsMatchTheExpectedFiles(entries: [String], expected: [String]) throws {
    #expect(try names(entries) == expected)
  }

  @Test func kindsFollowFromTheFileName() throws {
    let files = try SourceList(["."], relativeTo: scratch.path).files
    #expect(files[0].kind == .text && files[0].isCompressed)
    #expect(files[1].kind == .text && !files[1].isCompressed)
    #expect(files[4].kind == .jsonLines && !files[4].isCompressed)
    #expect(files[6].kind == .jsonLines && files[6].isCompressed)
    #expect(files[1].byteCount == 1 && files[1].modified > 0)
  }

  @Test func aPathThatExistsIsNotAGlob() throws {
    try scratch.write("odd[1].txt", "x")
    try scratch.write("odd1.txt", "x")
    #expect(try names(["odd[1].txt"]) == ["odd[1].txt"])
  }

  @Test func aLoopOfLinksEnds() throws {
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("sub/loop"), withDestinationPath: "..")
    var walker = FolderWalker()
    try walker.walk(scratch.path("sub"))
    // Each file appears once: the link leads to its parent folder, which is not entered again.
    #expect(walker.files.count == 9)
    #expect(walker.files.contains(scratch.path("sub/loop/a.txt")))
    #expect(try names(["sub/c.txt", "**/c.txt"]) == ["sub/c.txt"])
  }

  @Test func badSourcesAreReported() throws {
    let base = scratch.path
    func error(_ entries: [String]) -> DatasetError? {
      #expect(throws: DatasetError.self) { try SourceList(entries, relativeTo: base) }
    }
    #expect(error([]) == .noSources)
    #expect(error(["gone.txt"]) == .missing(path: "\(base)/gone.txt"))
    #expect(error(["a.txt/x.txt"]) == .missing(path: "\(base)/a.txt/x.txt"))
    #expect(error(["*.csv"]) == .noMatch(pattern: "*.csv", folder: base))
    #expect(error(["sub/notes.md"]) == .unsupportedKind(path: "\(base)/sub/notes.md"))
    #expect(error(["sub/*"]) == .unsupportedKind(path: "\(base)/sub/notes.md"))
    #expect(error(["/dev/null"]) == .notAFile(path: "/dev/null"))
    try scratch.write("empty/readme.md", "x")
    #expect(error(["empty"]) == .emptyFolder(path: "\(base)/empty"))
  }

  @Test func aNameThatIsNotUTF8IsReported() throws {
    let folder = scratch.path("bad")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let name = Array(folder.utf8CString.dropLast()) + [0x2F, -1, 0x2E, 0x74, 0x78, 0x74, 0]
    let descriptor = creat(name, 0o600)
    try #require(descriptor >= 0)
    close(descriptor)
    #expect(throws: DatasetError.nameNotUTF8(folder: folder)) { try SourceList([folder]) }
  }

  @Test func matchingIsNotExponential() {
    let name = String(repeating: "a", count: 200)
    #expect(!GlobPattern.matches(name, pattern: String(repeating: "*a", count: 60) + "b"))
    #expect(GlobPattern.matches("[x", pattern: "[x"))
    #expect(GlobPattern.matches("]", pattern: "[]]"))
    #expect(GlobPattern.matches("-", pattern: "[a-]"))
    #expect(!GlobPattern.matches("", pattern: "?"))
    #expect(GlobPattern.matches("", pattern: "**"))
  }
}
