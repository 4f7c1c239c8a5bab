import Crypto
import Glibc

/// A regular file open for reading.
package final class InputFile: Sendable {
  package let path: String
  /// Kind, size and identity of the file when it was opened.
  package let status: FileStatus
  let descriptor: Int32

  /// Opens the file at `path`; does not wait for the other end of a FIFO.
  ///
  /// - Parameter acceptsPipe: True to read a pipe that the shell opened as well, such as /dev/stdin.
  /// - Throws: ``StorageError/notAFile(path:)`` for anything else, from which a read may not return.
  package init(_ path: String, acceptsPipe: Bool = false) throws(StorageError) {
    let descriptor = try FileSystem.call("open", path) {
      open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    }
    var status = stat()
    do {
      try FileSystem.call("read the size of", path) { fstat(descriptor, &status) }
      self.status = FileStatus(status)
      if acceptsPipe, self.status.isPipe, path.hasPrefix("/dev/") || path.hasPrefix("/proc/") {
        // Its writer exists, and may need time.
        try FileSystem.call("read", path) {
          fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        }
      } else {
        try self.status.requireFile(at: path)
      }
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Reads up to `capacity` bytes into `buffer` and returns their number; 0 at the end.
  package func read(
    into buffer: UnsafeMutableRawPointer, capacity: Int
  ) throws(StorageError) -> Int {
    try FileSystem.call("read", path) { Glibc.read(descriptor, buffer, capacity) }
  }

  /// The largest file that is read whole unless the caller states another limit, in bytes.
  package static let largestContents = 1 << 30

  /// Returns the bytes of the regular file at `path`.
  ///
  /// - Parameters:
  ///   - limit: The maximum size in bytes.
  ///   - acceptsPipe: True to read a pipe that the shell opened as well, such as /dev/stdin.
  /// - Throws: ``StorageError/notAFile(path:)`` for anything else, from which a read may not return,
  ///   and ``StorageError/tooLarge(path:limit:)``.
  package static func contents(
    of path: String, limit: Int = largestContents, acceptsPipe: Bool = false
  ) throws(StorageError) -> [UInt8] {
    let bytes = try InputFile(path, acceptsPipe: acceptsPipe).contents(limit: limit + 1)
    guard bytes.count <= limit else { throw .tooLarge(path: path, limit: limit) }
    return bytes
  }

  /// Returns the `count` bytes at `offset`, or as many as the file has.
  package func contents(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    try FileSystem.call("read", path) { lseek(descriptor, off_t(offset), SEEK_SET) }
    return try contents(limit: count)
  }

  /// Returns the bytes from the current offset to the end, at most the first `limit`.
  package func contents(limit: Int = .max) throws(StorageError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    var count = 0
    while count < limit {
      if count == bytes.count { bytes.append(contentsOf: repeatElement(0, count: count)) }
      let room = min(bytes.count, limit) - count
      let got = try FileSystem.call("read", path) {
        bytes.withUnsafeMutableBytes {
          let free = UnsafeMutableRawBufferPointer(rebasing: $0[count...])
          return Glibc.read(descriptor, free.baseAddress, room)
        }
      }
      if got == 0 { break }
      count += got
    }
    return Array(bytes.prefix(count))
  }

  /// Returns the SHA-256 of the bytes from the current offset to the end, in hexadecimal.
  ///
  /// The file is read, not mapped, so that a disk error becomes an error, not a SIGBUS.
  package func sha256() throws(StorageError) -> String {
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: DurableFile.chunkSize, alignment: 4096)
    defer { buffer.deallocate() }
    guard let start = buffer.baseAddress else { preconditionFailure("an empty buffer") }
    var hash = SHA256()
    var count: Int
    repeat {
      count = try read(into: start, capacity: buffer.count)
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    } while count > 0
    return hash.finalize().hexadecimal
  }
}
