// "Files, strict JSON, storage errors, hashes. Knows no token, no tensor."

import Crypto
import Glibc
import Synchronization

/// A written file, as recorded by its writer.
package struct FileRecord: Sendable, Hashable, Codable {
  /// The name in its folder.
  package let name: String
  /// The size in bytes.
  package let size: Int
  /// The SHA-256 of the contents, 64 lower-case hexadecimal digits.
  package let sha256: String

  package init(name: String, size: Int, sha256: String) {
    self.name = name
    self.size = size
    self.sha256 = sha256
  }
}

/// A file being written, with a running SHA-256 and size.
///
/// The file is durable only after ``close()`` has returned, which calls `fsync` and reports the
/// error of `close`, where NFS reports a full disk. A regular file that is dropped before is removed;
/// a device, a pipe, or a link to one, such as /dev/stdout, stays.
package struct DurableFile: ~Copyable, Sendable {
  /// Size of the chunks that are hashed and then written, in bytes; a chunk fits the L2 cache.
  package static let chunkSize = 1 << 20

  private static let written = Atomic<Int>(0)

  /// Number of bytes that this process has written so far, to all such files.
  ///
  /// A number that stays the same tells that a writing thread hangs.
  package static var bytesWritten: Int { written.load(ordering: .relaxed) }

  /// Number of bytes written so far.
  package private(set) var size = 0

  private var file: OutputFile
  private var hash = SHA256()
  // After a failed write, hash and file differ: every later call throws the failure again.
  private var failure: StorageError?
  private var isComplete = false

  /// Creates the file, or truncates an existing one.
  package init(creating path: String) throws(StorageError) {
    file = try OutputFile(path, acceptsDevice: true)
  }

  deinit {
    guard !isComplete else { return }
    if FileStatus(file.path, followsLinks: false)?.kind == .file { unlink(file.path) }
  }

  /// Appends all of the bytes.
  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    if let failure { throw failure }
    var rest = bytes[...]
    while !rest.isEmpty {
      let chunk = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.chunkSize))
      hash.update(bufferPointer: chunk)
      do {
        try file.write(chunk)
      } catch {
        failure = error
        throw error
      }
      size += chunk.count
      Self.written.add(chunk.count, ordering: .relaxed)
      rest = rest.dropFirst(chunk.count)
    }
  }

  /// Appends all of the bytes.
  package mutating func write(_ bytes: [UInt8]) throws(StorageError) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(StorageError) in
      try write(UnsafeRawBufferPointer(buffer))
    }
  }

  /// Appends the text as UTF-8.
  package mutating func write(_ text: String) throws(StorageError) {
    try write(Array(text.utf8))
  }

  /// Makes the file durable, closes it, and returns its record.
  package consuming func close() throws(StorageError) -> FileRecord {
    if let failure { throw failure }
    try file.close()
    isComplete = true
    let name = file.path.split(separator: "/").last.map(String.init) ?? file.path
    return FileRecord(name: name, size: size, sha256: hash.finalize().hexadecimal)
  }
}
