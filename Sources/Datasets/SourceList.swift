import Glibc

/// The files that a list of paths, folders and globs stands for.
///
/// - A file stands for itself.
/// - A folder stands for the files of a supported kind under it, at any depth; hidden ones are left
///   out, and those of other kinds are listed in `ignored`.
/// - A glob (see `GlobPattern`) stands for the files that it matches; a file of another kind among
///   them is an error, since it was asked for. A path that exists is never read as a glob.
///
/// Each file appears once, however often it is named. The order is that of the bytes of the paths,
/// whatever the order of the list, so that the same corpus gives the same tokens.
public struct SourceList: Sendable, Equatable {
  /// The files, sorted by the bytes of their paths.
  public let files: [SourceFile]
  /// Files found in folders and left out, because their kind is not supported.
  public let ignored: [String]

  /// Expands `entries` to files with `contents`; relative ones start at `base`, or at the current
  /// folder when it is empty.
  public init(
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
        throw SourceFile.failure(path: path, code: errno)
      }
    }
    found.sort { FilePaths.precedes($0.path, $1.path) }
    var seen: Set<FileStatus.Identity> = []
    files = found.filter { seen.insert($0.identity).inserted }
    self.ignored = ignored.sorted(by: FilePaths.precedes)
  }
}

/// The regular files under a folder; folders that contain themselves through a link are entered
/// once.
struct FolderWalker {
  private(set) var files: [String] = []
  private var ancestors: Set<FileStatus.Identity> = []

  mutating func walk(_ folder: String) throws(DatasetError) {
    guard let own = FileStatus(folder)?.identity, ancestors.insert(own).inserted else { return }
    defer { ancestors.remove(own) }
    for name in try FilePaths.names(in: folder) {
      let path = FilePaths.join(folder, name)
      switch FileStatus(path)?.kind {
      case .folder: try walk(path)
      case .file: files.append(path)
      // A link that leads nowhere: kept, so that a text that is gone is reported when opened.
      case nil: files.append(path)
      case .other: continue
      }
    }
  }
}
