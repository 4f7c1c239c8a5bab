import Files

/// A file of a checkpoint with all its bytes, which need not be on the disk yet.
package final class WrittenFile: @unchecked Sendable {
  // Sendable: one thread at a time uses it.
  private var file: DurableFile?

  init(_ file: consuming DurableFile) {
    self.file = consume file
  }

  /// Makes the file durable, closes it, and returns its record; call it once.
  package func close() throws(StorageError) -> FileRecord {
    guard let open = file.take() else { preconditionFailure("a file is closed twice") }
    return try open.close()
  }
}

extension CheckpointDraft {
  /// Writes a file of the checkpoint with these bytes.
  package func file(_ name: String, containing bytes: [UInt8]) throws(StorageError) -> WrittenFile {
    var file = try file(name)
    try file.write(bytes)
    return WrittenFile(file)
  }
}
