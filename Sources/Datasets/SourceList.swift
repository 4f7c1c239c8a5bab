import Files
import Glibc

/// The files that a list of paths, folders and globs expands to.
///
/// - A file is included as it is.
/// - A folder includes the files of a supported kind under it, at any depth; hidden files are left
///   out, and files of other kinds are listed in `ignored`.
/// - A glob (see `GlobPattern`) includes the files that it matches; a match of another kind is an
///   error, because it was requested. A path that exists is never read as a glob.
///
/// Each file appears once, however often it is named. Files are sorted by the bytes of their paths,
/// whatever the order of the list, so that the same corpus gives the same tokens.
package struct SourceList: Sendable, Equatable {
  /// The files, sorted by the bytes of their paths.
  package let files: [SourceFile]
  /// Files found in folders and left out because their kind is not supported.
  package let ignored: [String]

  /// Expands `entries` to files with `contents`; relative entries start at `base`, or at the current
  /// folder when `base` is empty.
  package init(
    _ entries: [String], relativeTo base: String = "", of contents: SourceFile.Contents = .documents
  ) throws(DatasetError) {
    func isReadable(_ path: String) -> Bool {
      SourceFile.kind(ofName: path, of: contents) != nil
    }
    guard !entries.isEmpty else { throw .noSources }
    var found: [SourceFile] = []
    var ignored: Set<String> = []
    for entry in entries {
      let path = FilePaths.join(base, entry)
      if let status = FileStatus(path) {
        guard status.kind == .folder else {
          found.append(try SourceFile(path, of: contents))
          continue
        }
        var walker = FolderWalker()
        try walker.walk(path)
        let supported = walker.files.filter(isReadable)
        guard !supported.isEmpty else {
          throw .emptyFolder(path: path, supported: contents.supported)
        }
        for file in supported { found.append(try SourceFile(file, of: contents)) }
        ignored.formUnion(walker.files.filter { !isReadable($0) })
      } else if GlobPattern.isGlob(entry) {
        let matches = try GlobPattern(path).files()
        guard !matches.isEmpty else { throw .noMatch(pattern: entry, folder: base) }
        for file in matches { found.append(try SourceFile(file, of: contents)) }
      } else {
        throw DatasetError(.call(operation: "open", path: path, code: errno))
      }
    }
    found.sort { FilePaths.precedes($0.path, $1.path) }
    var seen: Set<FileStatus.Identity> = []
    files = found.filter { seen.insert($0.identity).inserted }
    self.ignored = ignored.sorted(by: FilePaths.precedes)
  }

  /// The path that must exist for `entry` to name a file: a glob's folder above its first wildcard,
  /// and `entry` itself when it is no glob.
  package static func root(of entry: String) -> String {
    guard GlobPattern.isGlob(entry) else { return entry }
    let plain = entry.split(separator: "/", omittingEmptySubsequences: false)
      .prefix { !GlobPattern.isGlob(String($0)) }
    return plain.isEmpty ? "." : plain == [""] ? "/" : plain.joined(separator: "/")
  }
}

/// Collects the regular files under a folder; a folder that several links lead to is entered once.
struct FolderWalker {
  private(set) var files: [String] = []
  private var visited: Set<FileStatus.Identity> = []

  mutating func walk(_ folder: String) throws(DatasetError) {
    guard let own = FileStatus(folder)?.identity, visited.insert(own).inserted else { return }
    for name in try FilePaths.names(in: folder) {
      let path = FilePaths.join(folder, name)
      switch FileStatus(path)?.kind {
      case .folder: try walk(path)
      case .file: files.append(path)
      // A dangling link is kept, so that opening it reports the missing text.
      case nil: files.append(path)
      case .other: continue
      }
    }
  }
}
