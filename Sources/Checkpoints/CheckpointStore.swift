import Glibc

/// A `checkpoints/` folder.
///
/// One process at a time changes it: rank 0 of the newest attempt. Readers may come and go. Nothing
/// here trusts what it finds: a checkpoint is one only after ``Checkpoint/init(verifying:)``.
///
/// **Fencing.** After a crash, a process of the old attempt may outlive the start of the new one.
/// Every attempt has a token of its own and first calls ``claim(attempt:)``, which writes the token
/// to `ATTEMPT` and then clears the drafts of the others. An old attempt that has not yet looked at
/// `ATTEMPT` will find another token there, and one that has looked finds its draft gone when it
/// renames it: once `claim` has returned, only the new attempt can publish. (This needs a file
/// system on which all hosts see a change when it is made, as NFS promises on opening.)
public struct CheckpointStore: Sendable, Hashable {
  /// The folder.
  public let path: String

  /// The folder at `path`, which need not exist yet.
  public init(path: String) {
    precondition(!path.isEmpty, "a checkpoint folder needs a path")
    self.path = path
  }

  /// The folder of the published checkpoint of `step`, whether it is there or not.
  public func path(ofStep step: Int) -> String { path(of: .published(step: step)) }

  /// The path of something in the folder.
  func path(of name: CheckpointName) -> String { "\(path)/\(name.text)" }

  /// What is in the folder under the names of this room, ordered as the names are.
  func contents() throws(StorageError) -> [CheckpointName] {
    do {
      return try FileSystem.names(in: path).compactMap { CheckpointName($0) }
    } catch .notFound {
      return []
    }
  }

  /// The steps that have a published folder, ascending; whether they are whole is not known.
  public func publishedSteps() throws(StorageError) -> [Int] {
    let steps = try contents().compactMap { name -> Int? in
      if case .published(let step) = name { step } else { nil }
    }
    return steps.sorted()
  }

  /// Throws ``StorageError/full(path:needed:available:)`` unless `bytes` bytes are free.
  ///
  /// The folder must exist. A quota that the file system does not report is not seen.
  public func requireSpace(bytes: Int) throws(StorageError) {
    var status = statvfs()
    try FileSystem.call("read the free space of", path) { statvfs(path, &status) }
    // A file system that reports no blocks at all does not count them.
    if status.f_blocks == 0 { return }
    let (free, overflow) = UInt64(status.f_bavail)
      .multipliedReportingOverflow(by: UInt64(status.f_frsize))
    let available = overflow ? Int.max : Int(clamping: free)
    if available < bytes { throw .full(path: path, needed: bytes, available: available) }
  }
}
