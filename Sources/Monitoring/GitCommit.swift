import Foundation

/// The checked-out commit of a git folder, read from its files, since a rank under MPI must not
/// fork to run git.
///
/// ```
/// .git               a folder, or in a work tree a file "gitdir: PATH"
/// .git/HEAD          "ref: refs/heads/main", or the commit itself
/// .git/refs/…        the commit of a branch, unless it is in packed-refs
/// .git/packed-refs   lines "COMMIT refs/heads/main"
/// .git/commondir     in a work tree, the path of the folder with refs and packed-refs
/// ```
enum GitCommit {
  /// The commit of the git folder around the executable, else around the working folder, or nil.
  static func ofThisProcess() -> String? {
    for link in ["/proc/self/exe", "/proc/self/cwd"] {
      let path = try? FileManager.default.destinationOfSymbolicLink(atPath: link)
      if let commit = path.flatMap(around) { return commit }
    }
    return nil
  }

  /// The commit of the nearest git folder in `path` or above it; nil if there is none.
  static func around(_ path: String) -> String? {
    var folder = path[...]
    while true {
      if let git = gitFolder(in: folder) { return head(of: git) }
      guard let slash = folder.lastIndex(of: "/") else { return nil }
      folder = folder[..<slash]
    }
  }

  private static func gitFolder(in folder: Substring) -> String? {
    let path = "\(folder)/.git"
    if access("\(path)/HEAD", R_OK) == 0 { return path }
    guard let text = TextFile.contents(path), text.hasPrefix("gitdir:") else { return nil }
    return resolved(String(text.dropFirst(7)).trimmed, in: String(folder))
  }

  private static func head(of git: String) -> String? {
    guard let head = TextFile.contents("\(git)/HEAD")?.trimmed else { return nil }
    guard head.hasPrefix("ref:") else { return commit(head) }
    let name = String(head.dropFirst(4)).trimmed
    let common = TextFile.contents("\(git)/commondir").map { resolved($0.trimmed, in: git) } ?? git
    for folder in [git, common] {
      if let found = TextFile.contents("\(folder)/\(name)").flatMap({ commit($0.trimmed) }) {
        return found
      }
    }
    for line in (TextFile.contents("\(common)/packed-refs") ?? "").split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2 && words[1] == name { return commit(String(words[0])) }
    }
    return nil
  }

  /// `text` if it is a commit hash, 40 or 64 hexadecimal digits; otherwise nil.
  private static func commit(_ text: String) -> String? {
    [40, 64].contains(text.utf8.count) && text.allSatisfy(\.isHexDigit) ? text : nil
  }

  private static func resolved(_ path: String, in folder: String) -> String {
    path.hasPrefix("/") ? path : "\(folder)/\(path)"
  }
}

extension String {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
