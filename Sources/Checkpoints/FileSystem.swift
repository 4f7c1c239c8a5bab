import Glibc

/// The system calls of this module, all through `call`.
package enum FileSystem {
  /// Runs a system call and repeats it while signals interrupt it (EINTR); throws its `errno`.
  @discardableResult
  static func call<Result: SignedInteger>(
    _ operation: String, _ path: String, _ body: () -> Result
  ) throws(StorageError) -> Result {
    while true {
      let result = body()
      if result >= 0 { return result }
      let code = errno
      if code != EINTR { throw StorageError(code: code, operation: operation, path: path) }
    }
  }

  /// Opens a file for reading; does not wait for the other end of a FIFO.
  static func open(reading path: String) throws(StorageError) -> Int32 {
    try call("open", path) { Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
  }

  /// Returns the `fstat` of an open file.
  static func status(of descriptor: Int32, path: String) throws(StorageError) -> stat {
    var status = stat()
    try call("read the size of", path) { fstat(descriptor, &status) }
    return status
  }

  /// Returns true when the name is taken, by anything, even a dangling link.
  package static func exists(_ path: String) throws(StorageError) -> Bool {
    var status = stat()
    do {
      try call("look up", path) { lstat(path, &status) }
      return true
    } catch .notFound {
      return false
    }
  }

  /// Returns the file type (the S_IFMT bits) at `path`, following links; nil when nothing is there.
  static func kind(of path: String) throws(StorageError) -> mode_t? {
    var status = stat()
    do {
      try call("look up", path) { stat(path, &status) }
      return status.st_mode & S_IFMT
    } catch .notFound, .io(_, _, ENOTDIR) {
      return nil
    }
  }

  /// Creates the folder and its parents durably, unless it exists.
  package static func makeFolder(_ path: String) throws(StorageError) {
    do {
      try call("create", path) { mkdir(path, 0o777) }
      try sync(folder: parent(of: path))
    } catch .notFound {
      let above = parent(of: path)
      if above == path { throw .notFound(path: path) }
      try makeFolder(above)
      try makeFolder(path)
    } catch .io(_, _, EEXIST) {
      try close(open(folder: path))  // throws ENOTDIR if a file has the name
    }
  }

  /// Makes the entries of a folder durable (`fsync`).
  static func sync(folder path: String) throws(StorageError) {
    let descriptor = try open(folder: path)
    defer { close(descriptor) }
    do {
      try call("sync", path) { fsync(descriptor) }
    } catch .io(_, _, EINVAL) {
      // Some network and user-space file systems have no fsync for folders; there is no
      // alternative, and their renames are synchronous.
    }
  }

  private static func open(folder path: String) throws(StorageError) -> Int32 {
    try call("open", path) { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
  }

  private static func close(_ descriptor: Int32) {
    _ = Glibc.close(descriptor)
  }

  /// Renames `source` to `destination` atomically.
  package static func rename(_ source: String, to destination: String) throws(StorageError) {
    try call("rename", source) { Glibc.rename(source, destination) }
  }

  /// Returns the names in a folder, sorted, without `.` and `..`.
  static func names(in path: String) throws(StorageError) -> [String] {
    let descriptor = try open(folder: path)
    guard let stream = fdopendir(descriptor) else {
      let code = errno
      close(descriptor)
      throw StorageError(code: code, operation: "list", path: path)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        let code = errno
        if code != 0 { throw StorageError(code: code, operation: "list", path: path) }
        return names.sorted()
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
  }

  /// Removes a file, or a folder with its contents; files that vanish meanwhile are ignored.
  static func removeTree(_ path: String) throws(StorageError) {
    do {
      try call("remove", path) { unlink(path) }
    } catch .notFound {
      return
    } catch .io(_, _, EISDIR) {
      for name in try names(in: path) { try removeTree("\(path)/\(name)") }
      do {
        try call("remove", path) { rmdir(path) }
      } catch .notFound {
        return
      }
    }
  }

  /// Returns the contents of a small file, at most the first `limit` bytes.
  static func contents(of path: String, limit: Int) throws(StorageError) -> [UInt8] {
    let descriptor = try open(reading: path)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    var count = 0
    while count < limit {
      if count == bytes.count { bytes.append(contentsOf: repeatElement(0, count: count)) }
      let room = min(bytes.count, limit) - count
      let got = try call("read", path) {
        bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + count, room) }
      }
      if got == 0 { break }
      count += got
    }
    return Array(bytes.prefix(count))
  }

  /// Returns the parent folder of `path`.
  static func parent(of path: String) -> String {
    var rest = path[...]
    while rest.count > 1 && rest.last == "/" { rest.removeLast() }
    guard let slash = rest.lastIndex(of: "/") else { return "." }
    return slash == rest.startIndex ? "/" : String(rest[..<slash])
  }
}
