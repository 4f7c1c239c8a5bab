import Files

/// A path with wildcards, as in a shell.
///
/// `*` matches any characters, `?` one, `[a-z]` one of a set, `[!a-z]` one outside it, `**` any number
/// of folders. A leading dot is never matched.
struct GlobPattern {
  private let root: String
  private let components: [String]

  static func isGlob(_ path: String) -> Bool {
    path.contains { "*?[".contains($0) }
  }

  init(_ path: String) {
    root = path.hasPrefix("/") ? "/" : ""
    var components: [String] = []
    // `**/**` matches the same files as `**` but would be walked many times.
    for part in path.split(separator: "/").map(String.init)
    where !(part == "**" && components.last == "**") {
      components.append(part)
    }
    self.components = components
  }

  /// Returns the regular files that match, in unspecified order.
  func files() throws(DatasetError) -> [String] {
    var found: [String] = []
    var searched: Set<Search> = []
    try collect(components[...], in: root, &searched, into: &found)
    return found
  }

  /// A folder with the components that the paths in it have to match.
  private struct Search: Hashable {
    let folder: FileStatus.Identity
    let components: ArraySlice<String>
  }

  /// Appends the files in `folder` that match `rest`, unless another path to the same folder has been
  /// `searched` for it: links can lead to a folder in exponentially many ways.
  private func collect(
    _ rest: ArraySlice<String>, in folder: String, _ searched: inout Set<Search>,
    into found: inout [String]
  ) throws(DatasetError) {
    guard let first = rest.first,
      let identity = FileStatus(folder.isEmpty ? "." : folder)?.identity,
      searched.insert(Search(folder: identity, components: rest)).inserted
    else { return }
    let remaining = rest.dropFirst()
    if first == "**" {
      // `**` may match no folder at all; a final `**` matches every file.
      try collect(remaining.isEmpty ? ["*"] : remaining, in: folder, &searched, into: &found)
      for name in try Self.entries(of: folder) {
        let path = FilePaths.join(folder, name)
        if FileStatus(path)?.kind == .folder {
          try collect(rest, in: path, &searched, into: &found)
        }
      }
      return
    }
    let names = Self.isGlob(first) ? try Self.entries(of: folder) : [first]
    for name in names where name == first || Self.matches(name, pattern: first) {
      let path = FilePaths.join(folder, name)
      switch FileStatus(path)?.kind {
      case .file where remaining.isEmpty: found.append(path)
      case .folder: try collect(remaining, in: path, &searched, into: &found)
      default: continue
      }
    }
  }

  private static func entries(of folder: String) throws(DatasetError) -> [String] {
    try FilePaths.names(in: folder.isEmpty ? "." : folder)
  }

  /// Returns true when `name` matches the one-component `pattern`; O(n·m) at worst, because only the
  /// last `*` backtracks.
  static func matches(_ name: String, pattern: String) -> Bool {
    let name = Array(name.unicodeScalars)
    let pattern = Array(pattern.unicodeScalars)
    var n = 0
    var p = 0
    var retry: (name: Int, pattern: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == "*" {
        retry = (n, p + 1)
        p += 1
      } else if let next = step(name[n], pattern, at: p) {
        n += 1
        p = next
      } else if let (start, after) = retry {
        retry = (start + 1, after)
        n = start + 1
        p = after
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == "*" }
  }

  /// Returns the position after the pattern element at `p` if that matches `scalar`, else nil.
  private static func step(_ scalar: Unicode.Scalar, _ pattern: [Unicode.Scalar], at p: Int) -> Int?
  {
    guard p < pattern.count else { return nil }
    if pattern[p] == "?" { return p + 1 }
    // A `]` right after the opening belongs to the set; an unclosed `[` is a plain character.
    let isNegated = p + 1 < pattern.count && (pattern[p + 1] == "!" || pattern[p + 1] == "^")
    let first = p + (isNegated ? 2 : 1)
    guard pattern[p] == "[", first + 1 < pattern.count,
      let close = pattern[(first + 1)...].firstIndex(of: "]")
    else { return pattern[p] == scalar ? p + 1 : nil }
    var isMember = false
    var i = first
    while i < close {
      if i + 2 < close, pattern[i + 1] == "-" {
        isMember = isMember || (pattern[i] <= scalar && scalar <= pattern[i + 2])
        i += 3
      } else {
        isMember = isMember || pattern[i] == scalar
        i += 1
      }
    }
    return isMember != isNegated ? close + 1 : nil
  }
}
