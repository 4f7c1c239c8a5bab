import Crypto
import Glibc

/// A file being written, with its SHA-256 and size as they grow.
///
/// Nothing counts until ``close()`` has returned: it waits for the disk (`fsync`) and reports the
/// error of the closing itself, which is where NFS says that a disk is full. A file that is dropped
/// before that is removed.
public struct DurableFile: ~Copyable, Sendable {
  /// Hash, then write, in pieces that stay in the second-level cache between the two.
  static let chunkSize = 1 << 20

  /// Where the file is.
  public let path: String
  /// The bytes written so far.
  public private(set) var size = 0

  private var descriptor: Int32
  private var hash = SHA256()
  // A failed write leaves hash and file apart: every later call repeats the failure.
  private var failure: StorageError?

  /// Creates the file, or empties it.
  public init(creating path: String) throws(StorageError) {
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

  /// Appends the bytes, all of them or with an error.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
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

  /// Appends the bytes, all of them or with an error.
  public mutating func write(_ bytes: [UInt8]) throws(StorageError) {
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
  public mutating func write(_ text: String) throws(StorageError) {
    try write(Array(text.utf8))
  }

  /// Waits until the bytes are on the disk, closes, and returns what a manifest needs to know.
  public consuming func close() throws(StorageError) -> FileRecord {
    if let failure { throw failure }
    let descriptor = descriptor
    try FileSystem.call("sync", path) { fsync(descriptor) }
    self.descriptor = -1
    // On EINTR Linux has released the descriptor, and the data was safe since fsync.
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
  /// The 64 lower-case digits that `sha256sum` prints.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in self { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }
}
