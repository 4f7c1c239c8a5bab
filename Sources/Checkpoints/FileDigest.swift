import Crypto
import Glibc

/// The SHA-256 of files.
enum FileDigest {
  /// Returns the SHA-256 of an open file from its current offset to its end.
  ///
  /// The file is read, not mapped, so that a disk error becomes an error, not a SIGBUS.
  static func digest(of descriptor: Int32, path: String) throws(StorageError) -> String {
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: DurableFile.chunkSize, alignment: 4096)
    defer { buffer.deallocate() }
    var hash = SHA256()
    var count: Int
    repeat {
      count = try FileSystem.call("read", path) {
        read(descriptor, buffer.baseAddress, buffer.count)
      }
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    } while count > 0
    return hash.finalize().hexadecimal
  }

  /// Returns the SHA-256 of the file at `path`.
  static func digest(ofFileAt path: String) throws(StorageError) -> String {
    let descriptor = try FileSystem.open(reading: path)
    defer { _ = close(descriptor) }
    return try digest(of: descriptor, path: path)
  }
}
