import Glibc

/// Paths as text, and what the file system says about them.
enum FilePaths {
  /// `name` in `folder`, without `.` components and doubled slashes; an absolute `name` stands for
  /// itself.
  static func join(_ folder: String, _ name: String) -> String {
    let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
    let parts = path.split(separator: "/").filter { $0 != "." }
    let joined = parts.joined(separator: "/")
    if path.hasPrefix("/") { return "/" + joined }
    return joined.isEmpty ? "." : joined
  }

  /// Makes `path` and the folders above it, each entry durable; returns those that were not there,
  /// the outermost first.
  @discardableResult
  static func makeFolder(_ path: String) throws(DatasetError) -> [String] {
    if FileStatus(path)?.kind == .folder { return [] }
    var (above, made) = (".", [String]())
    if let slash = path.lastIndex(of: "/") {
      above = slash == path.startIndex ? "/" : String(path[..<slash])
      made = try makeFolder(above)
    }
    // Another process may have made it since.
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw .storage(operation: "create the folder", path: path, code: errno)
    }
    guard FileStatus(path)?.kind == .folder else {
      throw .storage(operation: "create the folder", path: path, code: ENOTDIR)
    }
    try PendingFile.synchronizeFolder(above)
    return made + [path]
  }

  /// Names in `folder` that do not begin with a dot, sorted by their bytes.
  static func names(in folder: String) throws(DatasetError) -> [String] {
    guard let handle = opendir(folder) else { throw .unreadable(path: folder, code: errno) }
    defer { closedir(handle) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(handle) else {
        guard errno == 0 else {
          throw .storage(operation: "list the folder", path: folder, code: errno)
        }
        break
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard let name else { throw .nameNotUTF8(folder: folder) }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted(by: precedes)
  }

  /// Whether the UTF-8 of `a` comes before that of `b`; unlike `<`, the same in every version of
  /// Unicode.
  static func precedes(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }
}

/// What `stat` says about a path, symbolic links followed.
struct FileStatus {
  enum Kind { case file, folder, other }

  /// A file under any of its names.
  struct Identity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
  }

  let kind: Kind
  let byteCount: Int
  /// Time of the last change of the content, nanoseconds since 1970.
  let modified: Int
  let identity: Identity

  /// The status of `path`; nil, with `errno` set, where there is none.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      default: .other
      }
    byteCount = Int(status.st_size)
    modified = Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec)
    identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }
}
