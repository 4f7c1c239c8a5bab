import Files
import Glibc

/// A damaged checkpoint that was skipped, and renamed where the folder is writable.
package struct SetAside: Sendable, Equatable {
  /// The original name.
  package let name: String
  /// The damage, in one sentence.
  package let reason: String
  /// The new name; nil if it was not renamed.
  package let newName: String?
}

/// The result of ``CheckpointStore/newestVerified(known:)`` or ``CheckpointStore/newestIntact()``.
package struct Recovery: Sendable, Equatable {
  /// The newest intact checkpoint; nil for none.
  package let checkpoint: Checkpoint?
  /// The damaged checkpoints that are newer, newest first.
  package let setAside: [SetAside]
}

extension CheckpointStore {
  /// Verifies checkpoints from the newest to the oldest and returns the first intact one.
  ///
  /// A damaged one is renamed to `….damaged` and gets a `REASON.txt`, so that it is not read again;
  /// in a read-only folder it is only skipped. Only one process may call this.
  ///
  /// `known` is a checkpoint that this process has just verified; it is not read again.
  ///
  /// - Throws: ``StorageError`` if something cannot be read, which is not evidence of damage;
  ///   ``CheckpointError/unknownVersion(path:found:supported:)`` rather than falling back to a
  ///   checkpoint older than one of a newer release.
  package func newestVerified(known: Checkpoint? = nil) throws -> Recovery {
    var setAside: [SetAside] = []
    for name in try candidates() {
      do {
        let path = path(of: name)
        if let known, known.path == path, try Checkpoint(verifiedElsewhere: path) == known {
          return Recovery(checkpoint: known, setAside: setAside)
        }
        let checkpoint = try Checkpoint(verifying: path)
        return Recovery(checkpoint: checkpoint, setAside: setAside)
      } catch let error as CheckpointError {
        if case .unknownVersion = error { throw error }
        if let entry = try self.setAside(name, because: error) { setAside.append(entry) }
      }
    }
    return Recovery(checkpoint: nil, setAside: setAside)
  }

  /// Verifies checkpoints from the newest to the oldest and returns the first intact one, without
  /// changing the folder: damaged ones are skipped, and those after the step `last`.
  ///
  /// - Throws: As ``newestVerified(known:)``.
  package func newestIntact(upTo last: Int = .max) throws -> Recovery {
    var skipped: [SetAside] = []
    for name in try candidates() where name.step <= last {
      do {
        let checkpoint = try Checkpoint(verifying: path(of: name))
        return Recovery(checkpoint: checkpoint, setAside: skipped)
      } catch let error as CheckpointError {
        if case .unknownVersion = error { throw error }
        skipped.append(SetAside(name: name.text, reason: error.description, newName: nil))
      }
    }
    return Recovery(checkpoint: nil, setAside: skipped)
  }

  /// Returns the published folders, newest first, each before the one that it was to replace.
  private func candidates() throws(StorageError) -> [CheckpointName] {
    try contents()
      .filter {
        switch $0 {
        case .published, .replaced: true
        default: false
        }
      }
      .sorted { ($0.step, $1.text) > ($1.step, $0.text) }
  }

  /// Renames a damaged checkpoint; returns nil if its owner has removed it meanwhile.
  private func setAside(
    _ name: CheckpointName, because error: CheckpointError
  ) throws(StorageError) -> SetAside? {
    let target = try free { .damaged(step: name.step, copy: $0) }
    do {
      try FileSystem.rename(path(of: name), to: target)
    } catch .call(_, _, ENOENT) {
      return nil
    } catch .call(_, _, EROFS), .call(_, _, EACCES), .call(_, _, EPERM) {
      return SetAside(name: name.text, reason: error.description, newName: nil)
    }
    // A full disk must not prevent the fallback; the caller has the reason anyway.
    try? FileSystem.sync(folder: path)
    try? PendingFile.write(Array("\(error)\n".utf8), to: "\(target)/REASON.txt")
    let newName = target.split(separator: "/").last.map(String.init)
    return SetAside(name: name.text, reason: error.description, newName: newName)
  }
}

extension CheckpointName {
  /// The step of the checkpoint, draft, or former checkpoint.
  var step: Int {
    switch self {
    case .published(let step), .draft(let step, _), .replaced(let step), .damaged(let step, _),
      .deleting(let step, _):
      step
    }
  }
}
