import Glibc

/// Folders and names in the file system; every failed call is a ``StorageError``.
package enum FileSystem {
  /// Runs a system call and repeats it while signals interrupt it (EINTR); throws its `errno`.
  @discardableResult
  package static func call<Result: SignedInteger>(
    _ operation: String, _ path: String, _ body: () -> Result
  ) throws(StorageError) -> Result {
    while true {
      let result = body()
      if result >= 0 { return result }
      let code = errno
      if code != EINTR { throw .call(operation: operation, path: path, code: code) }
    }
  }

  /// Returns true when the name is taken, by anything, even a dangling link.
  package static func exists(_ path: String) throws(StorageError) -> Bool {
    var status = stat()
    do {
      try call("look up", path) { lstat(path, &status) }
      return true
    } catch .call(_, _, ENOENT) {
      return false
    }
  }

  /// Returns the kind of file at `path`, following links; nil when nothing is there.
  package static func kind(of path: String) throws(StorageError) -> FileStatus.Kind? {
    var status = stat()
    do {
      try call("look up", path) { stat(path, &status) }
      return FileStatus(status).kind
    } catch .call(_, _, ENOENT), .call(_, _, ENOTDIR) {
      return nil
    }
  }

  /// Creates the folder and its missing parents durably; returns those created, outermost first.
  @discardableResult
  package static func makeFolder(_ path: String) throws(StorageError) -> [String] {
    if FileStatus(path)?.kind == .folder { return [] }
    let above = parent(of: path)
    let made = above == path ? [] : try makeFolder(above)
    do {
      try call("create the folder", path) { mkdir(path, 0o777) }
    } catch .call(let operation, _, EEXIST) {
      // Another process may have created it meanwhile.
      guard FileStatus(path)?.kind == .folder else {
        throw .call(operation: operation, path: path, code: ENOTDIR)
      }
    }
    try sync(folder: above)
    return made + [path]
  }

  /// Makes the entries of a folder durable (`fsync`).
  package static func sync(folder path: String) throws(StorageError) {
    let descriptor = try open(folder: path)
    defer { close(descriptor) }
    do {
      try call("write the folder", path) { fsync(descriptor) }
    } catch .call(_, _, EINVAL) {
      // Some network and user-space file systems have no fsync for folders; there is no
      // alternative, and their renames are synchronous.
    }
  }

  private static func open(folder path: String) throws(StorageError) -> Int32 {
    try call("open the folder", path) { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
  }

  /// Renames `source` to `destination` atomically.
  package static func rename(_ source: String, to destination: String) throws(StorageError) {
    try call("rename", source) { Glibc.rename(source, destination) }
  }

  /// Returns the names in a folder, without `.` and `..`, as bytes in ascending order.
  package static func entries(in path: String) throws(StorageError) -> [[UInt8]] {
    let descriptor = try open(folder: path)
    guard let stream = fdopendir(descriptor) else {
      let code = errno
      close(descriptor)
      throw .call(operation: "list the folder", path: path, code: code)
    }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        let code = errno
        if code != 0 { throw .call(operation: "list the folder", path: path, code: code) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != Array(".".utf8) && name != Array("..".utf8) { names.append(name) }
    }
  }

  /// Returns the names in a folder, sorted by their bytes, without `.` and `..`.
  package static func names(in path: String) throws(StorageError) -> [String] {
    try entries(in: path).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Removes a file, or a folder with its contents; files that vanish meanwhile are ignored.
  package static func removeTree(_ path: String) throws(StorageError) {
    do {
      try call("remove", path) { unlink(path) }
    } catch .call(_, _, ENOENT) {
      return
    } catch .call(_, _, EISDIR) {
      for name in try names(in: path) { try removeTree("\(path)/\(name)") }
      do {
        try call("remove", path) { rmdir(path) }
      } catch .call(_, _, ENOENT) {
        return
      }
    }
  }

  /// Returns the path of what the link at `path` leads to; `path` itself when it is no link, or one
  /// to nothing.
  package static func resolvingLinks(_ path: String) -> String {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK,
      let resolved = realpath(path, nil)
    else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Returns the path of `name` in `folder`.
  package static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }

  /// Returns the parent folder of `path`.
  package static func parent(of path: String) -> String {
    var rest = path[...]
    while rest.count > 1 && rest.last == "/" { rest.removeLast() }
    guard let slash = rest.lastIndex(of: "/") else { return "." }
    return slash == rest.startIndex ? "/" : String(rest[..<slash])
  }
}
