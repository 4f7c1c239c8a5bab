import Glibc

/// A file open for writing, whose failures are `MonitoringError`s.
struct OutputFile: ~Copyable, Sendable {
  let path: String
  private let descriptor: CInt

  /// Opens `path` for writing, creating it if absent, with `flags` added to those of `open`.
  init(path: String, flags: CInt = 0) throws(MonitoringError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path, "create") }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Shortens the file to `count` bytes.
  func truncate(to count: Int) throws(MonitoringError) {
    guard ftruncate(descriptor, off_t(count)) == 0 else { throw Self.failure(path, "shorten") }
  }

  /// Writes `bytes` and removes the written ones from it, also when it throws.
  func write(_ bytes: inout [UInt8]) throws(MonitoringError) {
    var written = 0
    defer { bytes.removeFirst(written) }
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw Self.failure(path, "write")
      }
      written += count
    }
  }

  /// Waits until the bytes are durable.
  func synchronize() throws(MonitoringError) {
    // A file system without the call (some network and FUSE ones) returns EINVAL: nothing to wait
    // for.
    guard fdatasync(descriptor) == 0 || errno == EINVAL else {
      throw Self.failure(path, "write")
    }
  }

  /// The error of the call on `path` that just failed, from `errno`.
  static func failure(_ path: String, _ operation: String) -> MonitoringError {
    .storage(path: path, operation: operation, reason: String(cString: strerror(errno)))
  }
}
