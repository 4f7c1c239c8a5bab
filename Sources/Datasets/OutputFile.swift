import Glibc

/// A file being written; every failure throws `DatasetError.storage`.
final class OutputFile {
  let path: String
  private var descriptor: Int32

  init(_ path: String) throws(DatasetError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure("create") }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Writes `bytes` at the end, or over the bytes at `position`.
  func write(_ bytes: [UInt8], at position: Int? = nil) throws(DatasetError) {
    try bytes.withUnsafeBufferPointer { buffer throws(DatasetError) in
      try write(buffer, at: position)
    }
  }

  private func write(
    _ bytes: UnsafeBufferPointer<UInt8>, at position: Int?
  ) throws(DatasetError) {
    var done = 0
    while done < bytes.count, let start = bytes.baseAddress {
      let count =
        if let position {
          pwrite(descriptor, start + done, bytes.count - done, position + done)
        } else {
          Glibc.write(descriptor, start + done, bytes.count - done)
        }
      if count > 0 { done += count } else if errno != EINTR { throw failure("write") }
    }
  }

  /// Synchronises the file with the disk and closes it; NFS reports a full disk only here.
  func finish() throws(DatasetError) {
    guard fsync(descriptor) == 0 else { throw failure("write") }
    defer { descriptor = -1 }
    guard close(descriptor) == 0 else { throw failure("write") }
  }

  private func failure(_ operation: String) -> DatasetError {
    .storage(operation: operation, path: path, code: errno)
  }
}

/// A file that is published atomically: written under a temporary name, then renamed.
final class PendingFile {
  let destination: String
  let file: OutputFile
  private var isPublished = false

  init(_ destination: String) throws(DatasetError) {
    self.destination = destination
    // The name contains the process id, so two processes that build the same folder do not mix their
    // bytes.
    file = try OutputFile(Self.temporaryPath(for: destination))
  }

  deinit { if !isPublished { unlink(file.path) } }

  static func temporaryPath(for destination: String) -> String {
    "\(destination).\(getpid()).tmp"
  }

  /// Renames the finished file to its destination; the folder still needs `synchronizeFolder`.
  func publish() throws(DatasetError) {
    guard rename(file.path, destination) == 0 else {
      throw .storage(operation: "rename a file to", path: destination, code: errno)
    }
    isPublished = true
  }

  /// Synchronises the entries of `folder` with the disk.
  static func synchronizeFolder(_ folder: String) throws(DatasetError) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .storage(operation: "open the folder", path: folder, code: errno)
    }
    defer { close(descriptor) }
    // Some network file systems cannot synchronise a folder and report EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw .storage(operation: "write the folder", path: folder, code: errno)
    }
  }
}
