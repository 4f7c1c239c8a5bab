import Files
import Glibc

/// A `checkpoints/` folder.
///
/// Only rank 0 of the newest attempt changes it; any process may read it at any time. A folder
/// counts as a checkpoint only after ``Checkpoint/init(verifying:)`` has verified it.
///
/// **Fencing.** After a crash, a process of the old attempt may outlive the start of the new one.
/// Every attempt has a token of its own and first calls ``claim(attempt:)``, which writes the token
/// to `ATTEMPT` and then removes the drafts of the others. An old attempt that has not yet read
/// `ATTEMPT` will find another token there, and one that has read it finds its draft removed when
/// it renames it. So once `claim` has returned, only the new attempt can publish. (This needs a
/// file system that shows a change to all hosts when it is made, as NFS guarantees on opening.)
package struct CheckpointStore: Sendable, Hashable {
  /// The folder.
  package let path: String

  /// The folder at `path`, which need not exist yet.
  package init(path: String) {
    precondition(!path.isEmpty, "a checkpoint folder needs a path")
    self.path = path
  }

  /// Returns the path of the published checkpoint of `step`, which need not exist.
  package func path(ofStep step: Int) -> String { path(of: .published(step: step)) }

  /// Returns the path of `name` in the folder.
  func path(of name: CheckpointName) -> String { "\(path)/\(name.text)" }

  /// Returns the checkpoint names in the folder, sorted; other names are ignored.
  func contents() throws(StorageError) -> [CheckpointName] {
    do {
      return try FileSystem.names(in: path).compactMap { CheckpointName($0) }
    } catch .call(_, _, ENOENT) {
      return []
    }
  }

  /// Returns the steps with a published folder, ascending; the checkpoints are not verified.
  package func publishedSteps() throws(StorageError) -> [Int] {
    let steps = try contents().compactMap { name -> Int? in
      if case .published(let step) = name { step } else { nil }
    }
    return steps.sorted()
  }

  /// Throws ``StorageError/full(path:needed:available:)`` unless `bytes` bytes are free.
  ///
  /// The folder must exist. A quota that the file system does not report is not considered.
  package func requireSpace(bytes: Int) throws(StorageError) {
    let available = try FileSystem.freeBytes(at: path)
    if available < bytes { throw .full(path: path, needed: bytes, available: available) }
  }
}
