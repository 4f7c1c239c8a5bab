import Glibc

/// Reads and writes whole files with system calls, whose error texts are the reasons a user needs.
enum FileBytes {
  static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// The folder that holds `path`.
  static func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func exists(_ path: String) -> Bool {
    access(path, F_OK) == 0
  }

  static func isFolder(_ path: String) throws(TokenizerError) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { throw .unreadable(path: path, reason: reason()) }
    return status.st_mode & S_IFMT == S_IFDIR
  }

  static func createFolder(_ path: String) throws(TokenizerError) {
    // Parents first; an existing folder is no error.
    let parent = parent(of: path)
    if path.isEmpty || exists(path) { return }
    if !exists(parent) { try createFolder(parent) }
    if mkdir(path, 0o777) != 0, errno != EEXIST {
      throw .unwritable(path: path, reason: reason())
    }
  }

  static func read(_ path: String) throws(TokenizerError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: reason()) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: reason()) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable(path: path, reason: "it is not a regular file")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let count = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .unreadable(path: path, reason: reason()) }
      if count == 0 { break }
      filled += count
    }
    bytes.removeLast(bytes.count - filled)
    return bytes
  }

  /// Writes to `path`.tmp, syncs, and renames: a reader sees either the old file or the new one.
  static func write(_ bytes: [UInt8], to path: String) throws(TokenizerError) {
    let temporary = path + ".tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: reason()) }
    var written = 0
    var failed = false
    while written < bytes.count, !failed {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
      }
      if count >= 0 { written += count } else { failed = errno != EINTR }
    }
    failed = failed || fsync(descriptor) != 0
    var cause = errno
    // Network file systems report a full disk only at close.
    if close(descriptor) != 0, !failed { (failed, cause) = (true, errno) }
    if !failed, rename(temporary, path) != 0 { (failed, cause) = (true, errno) }
    guard failed else { return }
    unlink(temporary)
    throw .unwritable(path: path, reason: reason(cause))
  }

  private static func reason(_ code: Int32 = errno) -> String {
    String(cString: strerror(code)).lowercased()
  }
}
