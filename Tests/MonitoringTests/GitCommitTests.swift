import Foundation
import Testing

@testable import Monitoring

@Suite struct GitCommitTests {
  private let commit = String(repeating: "0123456789abcdef", count: 3).prefix(40).description
  private let other = String(repeating: "f", count: 40)

  /// The commit found from `place` in a folder with `files`.
  private func found(_ files: [String: String], from place: String = "deep/er") throws -> String? {
    try withFolder { folder in
      for (name, text) in files.merging(["deep/er/x": ""], uniquingKeysWith: { $1 }) {
        let path = URL(fileURLWithPath: "\(folder)/\(name)")
        try FileManager.default.createDirectory(
          at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: path)
      }
      return GitCommit.around("\(folder)/\(place)")
    }
  }

  @Test func aBranchResolvesToItsCommit() throws {
    let head = [".git/HEAD": "ref: refs/heads/a/b\n"]
    let packed =
      "# pack-refs with: peeled\n\(other) refs/heads/a\n\(commit) refs/heads/a/b\n^\(other)\n"
    #expect(try found(head.merging([".git/refs/heads/a/b": "\(commit)\n"]) { $1 }) == commit)
    #expect(try found(head.merging([".git/packed-refs": packed]) { $1 }) == commit)
    // The loose file is the newer one.
    #expect(
      try found(
        head.merging([".git/packed-refs": packed, ".git/refs/heads/a/b": other]) { $1 }) == other)
  }

  @Test func aDetachedHeadIsItsCommit() throws {
    #expect(try found([".git/HEAD": "\(commit)\n"]) == commit)
    #expect(try found([".git/HEAD": "\(commit)\n"], from: "deep/er/x") == commit)
  }

  @Test func aWorkTreeIsResolvedThroughItsGitFolder() throws {
    #expect(
      try found([
        "deep/.git": "gitdir: ../main/.git/worktrees/w\n",
        "main/.git/worktrees/w/HEAD": "ref: refs/heads/w\n",
        "main/.git/worktrees/w/commondir": "../..\n", "main/.git/refs/heads/w": "\(commit)\n",
        ".git/HEAD": other,
      ]) == commit)
  }

  @Test func withoutACommitTheResultIsNil() throws {
    #expect(try found([".git/HEAD": "ref: refs/heads/unborn\n"]) == nil)
    #expect(try found([".git/HEAD": "ref: refs/heads/a\n", ".git/refs/heads/a": "half"]) == nil)
    #expect(GitCommit.around("/nowhere/at/all") == nil)
  }
}
