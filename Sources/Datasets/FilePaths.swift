import Glibc

/// Operations on paths and folders.
enum FilePaths {
  /// Returns the path of `name` in `folder`, without `.` components and doubled slashes; an absolute
  /// `name` is returned without `folder`.
  static func join(_ folder: String, _ name: String) -> String {
    let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
    let parts = path.split(separator: "/").filter { $0 != "." }
    let joined = parts.joined(separator: "/")
    if path.hasPrefix("/") { return "/" + joined }
    return joined.isEmpty ? "." : joined
  }

  /// Creates `path` and its missing parent folders, each entry durable; returns the folders that it
  /// created, the outermost first.
  @discardableResult
  static func makeFolder(_ path: String) throws(DatasetError) -> [String] {
    if FileStatus(path)?.kind == .folder { return [] }
    var (above, made) = (".", [String]())
    if let slash = path.lastIndex(of: "/") {
      above = slash == path.startIndex ? "/" : String(path[..<slash])
      made = try makeFolder(above)
    }
    // Another process may have created it meanwhile.
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw .storage(operation: "create the folder", path: path, code: errno)
    }
    guard FileStatus(path)?.kind == .folder else {
      throw .storage(operation: "create the folder", path: path, code: ENOTDIR)
    }
    try PendingFile.synchronizeFolder(above)
    return made + [path]
  }

  /// Returns the names in `folder` that do not begin with a dot, sorted by their bytes.
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

  /// Returns true when the UTF-8 bytes of `a` precede those of `b`; unlike `<`, the order is the same
  /// in every version of Unicode.
  static func precedes(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }
}

/// The result of `stat` on a path, with symbolic links followed.
struct FileStatus {
  enum Kind { case file, folder, other }

  /// A file's identity, which its hard and symbolic links share.
  struct Identity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
  }

  let kind: Kind
  let byteCount: Int
  /// The time of the last change of the content, in nanoseconds since 1970.
  let modified: Int
  let identity: Identity

  /// Reads the status of `path`; nil, with `errno` set, when it fails.
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
