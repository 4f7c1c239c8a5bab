import Crypto
import Glibc

/// A file being written, with a running SHA-256 and size.
///
/// The file is durable only after ``close()`` has returned, which calls `fsync` and reports the
/// error of `close`, where NFS reports a full disk. A file that is dropped before is removed.
package struct DurableFile: ~Copyable, Sendable {
  /// Size of the chunks that are hashed and then written, in bytes; a chunk fits the L2 cache.
  static let chunkSize = 1 << 20

  package let path: String
  /// Number of bytes written so far.
  package private(set) var size = 0

  private var descriptor: Int32
  private var hash = SHA256()
  // After a failed write, hash and file differ: every later call throws the failure again.
  private var failure: StorageError?

  /// Creates the file, or truncates an existing one.
  package init(creating path: String) throws(StorageError) {
    descriptor = try FileSystem.call("create", path) {
      open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    }
    self.path = path
  }

  deinit {
    if descriptor >= 0 {
      _ = Glibc.close(descriptor)
      unlink(path)
    }
  }

  /// Appends all of the bytes.
  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    if let failure { throw failure }
    var rest = bytes[...]
    while !rest.isEmpty {
      let chunk = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.chunkSize))
      hash.update(bufferPointer: chunk)
      do {
        try writeAll(chunk)
      } catch {
        failure = error
        throw error
      }
      size += chunk.count
      rest = rest.dropFirst(chunk.count)
    }
  }

  /// Appends all of the bytes.
  package mutating func write(_ bytes: [UInt8]) throws(StorageError) {
    let result: Result<Void, StorageError> = bytes.withUnsafeBytes { buffer in
      do throws(StorageError) {
        return .success(try write(buffer))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Appends the text as UTF-8.
  package mutating func write(_ text: String) throws(StorageError) {
    try write(Array(text.utf8))
  }

  /// Syncs the file to the disk, closes it, and returns its record for the manifest.
  package consuming func close() throws(StorageError) -> FileRecord {
    if let failure { throw failure }
    let descriptor = descriptor
    try FileSystem.call("sync", path) { fsync(descriptor) }
    self.descriptor = -1
    // On EINTR Linux has released the descriptor, and the data is durable since fsync.
    if Glibc.close(descriptor) != 0 && errno != EINTR {
      let code = errno
      unlink(path)
      throw StorageError(code: code, operation: "close", path: path)
    }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return FileRecord(name: name, size: size, sha256: hash.finalize().hexadecimal)
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    var rest = bytes
    while !rest.isEmpty {
      let (descriptor, piece) = (descriptor, rest)
      let count = try FileSystem.call("write", path) {
        Glibc.write(descriptor, piece.baseAddress, piece.count)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
  }
}

extension SHA256Digest {
  /// The 64 lower-case hexadecimal digits, as `sha256sum` prints them.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in self { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }
}
