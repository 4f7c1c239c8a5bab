import Glibc

/// A checkpoint being written: `step-….ATTEMPT.tmp`.
///
/// Every rank may open the same draft and write files of its own; rank 0 publishes once it has the
/// records of all of them. A draft that is never published is cleared by ``discard()`` or by the
/// next attempt.
public struct CheckpointDraft: Sendable {
  /// The training step.
  public let step: Int
  /// The token of the attempt that writes.
  public let attempt: String
  private let store: CheckpointStore

  /// The folder.
  public var path: String { store.path(of: .draft(step: step, attempt: attempt)) }

  fileprivate init(store: CheckpointStore, step: Int, attempt: String) throws(StorageError) {
    precondition(step >= 0, "step \(step) is negative")
    precondition(CheckpointName.isValid(attempt: attempt), "\(attempt) cannot name an attempt")
    self.store = store
    self.step = step
    self.attempt = attempt
    try store.requireClaim(attempt: attempt)
    try FileSystem.makeFolder(path)
  }

  /// A new file of the checkpoint; close it to get its record.
  public func file(_ name: String) throws(StorageError) -> DurableFile {
    precondition(FileRecord.isValid(name: name), "\(name) cannot be in a checkpoint")
    return try DurableFile(creating: "\(path)/\(name)")
  }

  /// Makes the draft the checkpoint of its step, in place of an older one of the same step.
  ///
  /// `files` are the records of all ranks, in any order. If this throws, readers find the older
  /// one; or, if only the last wait for the disk failed, either of the two, whole.
  public func publish(files: [FileRecord]) throws(StorageError) -> Checkpoint {
    try store.requireClaim(attempt: attempt)
    for file in files { try requirePresence(of: file) }
    let manifest = Manifest(step: step, files: files)
    var file = try DurableFile(creating: "\(path)/\(Manifest.fileName)")
    try file.write(manifest.encoded)
    _ = try file.close()
    try FileSystem.sync(folder: path)
    let final = store.path(of: .published(step: step))
    // Readers know the name `replaced`, so the step has a checkpoint at every moment.
    let older = CheckpointName.replaced(step: step)
    let replaces = try FileSystem.exists(final)
    if replaces {
      try store.remove([older])
      try FileSystem.rename(final, to: store.path(of: older))
    }
    do throws(StorageError) {
      try FileSystem.rename(path, to: final)
    } catch {
      if replaces { try? FileSystem.rename(store.path(of: older), to: final) }
      throw error
    }
    try FileSystem.sync(folder: store.path)
    // The checkpoint is safe: what is left of the older one may wait for the next removeStale.
    if replaces { try? store.remove([older]) }
    return Checkpoint(path: final, manifest: manifest)
  }

  /// Removes the draft; for rank 0, after a save that failed on any rank.
  public func discard() throws(StorageError) {
    try store.remove([.draft(step: step, attempt: attempt)])
  }

  /// Another rank wrote the file, perhaps from another host: opening it asks the server again.
  private func requirePresence(of file: FileRecord) throws(StorageError) {
    let path = "\(path)/\(file.name)"
    let descriptor = try FileSystem.open(reading: path)
    defer { _ = close(descriptor) }
    let size = Int(try FileSystem.status(of: descriptor, path: path).st_size)
    if size != file.size { throw .incomplete(path: path, expected: file.size, found: size) }
  }
}

extension CheckpointStore {
  /// Opens the draft of `step`, on any rank; the first one makes its folder.
  public func draft(step: Int, attempt: String) throws(StorageError) -> CheckpointDraft {
    try CheckpointDraft(store: self, step: step, attempt: attempt)
  }
}
