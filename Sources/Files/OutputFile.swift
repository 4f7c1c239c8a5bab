import Glibc

/// A file open for writing.
package struct OutputFile: ~Copyable, Sendable {
  package let path: String
  /// −1 once the file is closed.
  private var descriptor: Int32

  /// Opens the file at `path` for writing, creating it if absent, with `flags` added to those of
  /// `open`.
  ///
  /// - Parameter acceptsDevice: True to write to a device or a pipe as well, such as /dev/stdout.
  /// - Throws: ``StorageError/occupied(path:)`` for anything else, to which a write may not return.
  package init(
    _ path: String, flags: Int32 = O_TRUNC, acceptsDevice: Bool = false
  ) throws(StorageError) {
    let flags = O_WRONLY | O_CREAT | O_CLOEXEC | flags
    descriptor =
      acceptsDevice
      ? try FileSystem.call("create", path) { Glibc.open(path, flags, 0o666) }
      : try Self.open(file: path, flags)
    self.path = path
  }

  /// Opens a regular file; does not wait for the other end of a FIFO.
  private static func open(file path: String, _ flags: Int32) throws(StorageError) -> Int32 {
    let descriptor: Int32
    do {
      descriptor = try FileSystem.call("create", path) {
        Glibc.open(path, O_NONBLOCK | flags, 0o666)
      }
    } catch .call(_, _, ENXIO) {
      // A FIFO without a reader, or a socket.
      throw .occupied(path: path)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, FileStatus(status).kind == .file else {
      Glibc.close(descriptor)
      throw .occupied(path: path)
    }
    return descriptor
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  /// Writes `bytes` at the end, or over the bytes at `position`.
  package func write(
    _ bytes: UnsafeRawBufferPointer, at position: Int? = nil
  ) throws(StorageError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      done += try FileSystem.call("write", path) {
        if let position {
          pwrite(descriptor, rest.baseAddress, rest.count, position + done)
        } else {
          Glibc.write(descriptor, rest.baseAddress, rest.count)
        }
      }
    }
  }

  /// Writes `bytes` at the end, or over the bytes at `position`.
  package func write(_ bytes: [UInt8], at position: Int? = nil) throws(StorageError) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(StorageError) in
      try write(UnsafeRawBufferPointer(buffer), at: position)
    }
  }

  /// Writes `bytes` at the end and removes the written ones, also when it throws.
  package func drain(_ bytes: inout [UInt8]) throws(StorageError) {
    while !bytes.isEmpty {
      let count = try FileSystem.call("write", path) {
        bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      }
      bytes.removeFirst(count)
    }
  }

  /// Shortens the file to `count` bytes.
  package func truncate(to count: Int) throws(StorageError) {
    try FileSystem.call("shorten", path) { ftruncate(descriptor, off_t(count)) }
  }

  /// Waits until the bytes are durable.
  package func synchronize() throws(StorageError) {
    do {
      try FileSystem.call("write", path) { fdatasync(descriptor) }
    } catch .call(_, _, EINVAL) {
      // Some network and user-space file systems lack the call: nothing to wait for.
    }
  }

  /// Makes file and size durable and closes the file; NFS reports a full disk only here.
  package mutating func close() throws(StorageError) {
    do {
      try FileSystem.call("write", path) { fsync(descriptor) }
    } catch .call(_, _, EINVAL) {
      // A pipe or a device has nothing to wait for.
    }
    let result = Glibc.close(descriptor)
    descriptor = -1
    // On EINTR Linux has released the descriptor, and the data is durable since fsync.
    if result != 0, errno != EINTR { throw .call(operation: "write", path: path, code: errno) }
  }
}
