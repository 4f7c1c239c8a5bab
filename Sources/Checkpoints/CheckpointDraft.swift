import Files

/// A checkpoint being written: `step-….ATTEMPT.tmp`.
///
/// Every rank may open the same draft and write its own files; rank 0 publishes when it has the
/// records of all ranks. A draft that is never published is removed by ``CheckpointStore/discardDraft(step:attempt:)`` or by the next
/// attempt.
package struct CheckpointDraft: Sendable {
  /// The training step.
  package let step: Int
  /// The token of the writing attempt.
  package let attempt: String
  private let store: CheckpointStore

  /// The folder.
  package var path: String { store.path(of: .draft(step: step, attempt: attempt)) }

  fileprivate init(store: CheckpointStore, step: Int, attempt: String) throws(StorageError) {
    precondition(step >= 0, "step \(step) is negative")
    precondition(CheckpointName.isValid(attempt: attempt), "\(attempt) cannot name an attempt")
    self.store = store
    self.step = step
    self.attempt = attempt
    try store.requireClaim(attempt: attempt)
    try FileSystem.makeFolder(path)
  }

  /// Creates a file of the checkpoint; closing it returns its record.
  package func file(_ name: String) throws(StorageError) -> DurableFile {
    precondition(FileRecord.isValid(name: name), "\(name) cannot be in a checkpoint")
    return try DurableFile(creating: "\(path)/\(name)")
  }

  /// Publishes the draft as the checkpoint of its step and replaces an older one of the same step.
  ///
  /// `files` are the records of all ranks, in any order. If this throws, readers find the older
  /// checkpoint; or, if only the final sync failed, one of the two, intact.
  package func publish(files: [FileRecord]) throws(StorageError) -> Checkpoint {
    try store.requireClaim(attempt: attempt)
    for file in files { try requirePresence(of: file) }
    let manifest = Manifest(step: step, files: files)
    var file = try DurableFile(creating: "\(path)/\(Manifest.fileName)")
    try file.write(manifest.encoded)
    _ = try file.close()
    try FileSystem.sync(folder: path)
    let final = store.path(of: .published(step: step))
    // Readers also accept the name `replaced`, so the step has a checkpoint at every moment.
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
    // The checkpoint is published: the rest of the older one may wait for the next removeStale.
    if replaces { try? store.remove([older]) }
    return Checkpoint(path: final, manifest: manifest)
  }

  /// Throws unless the file exists with the recorded size.
  ///
  /// Another rank may have written it from another host; opening the file makes NFS ask the server.
  private func requirePresence(of file: FileRecord) throws(StorageError) {
    let path = "\(path)/\(file.name)"
    let size = try InputFile(path).status.byteCount
    if size != file.size { throw .incomplete(path: path, expected: file.size, found: size) }
  }
}

extension CheckpointStore {
  /// Opens the draft of `step`, on any rank; the first rank creates its folder.
  package func draft(step: Int, attempt: String) throws(StorageError) -> CheckpointDraft {
    try CheckpointDraft(store: self, step: step, attempt: attempt)
  }

  /// Removes the draft of `step`, if any rank created it; called by rank 0 after a save that failed on
  /// any rank.
  package func discardDraft(step: Int, attempt: String) throws(StorageError) {
    try remove([.draft(step: step, attempt: attempt)])
  }
}
