/// A damaged checkpoint that was passed over.
public struct SetAside: Sendable, Equatable {
  /// Its name before.
  public let name: String
  /// What is wrong with it, in one sentence.
  public let reason: String
  /// Its name now; nil if the folder may not be changed and it stayed where it was.
  public let newName: String?
}

/// What ``CheckpointStore/newestVerified(known:)`` or ``CheckpointStore/newestWhole()`` found.
public struct Recovery: Sendable, Equatable {
  /// The newest whole checkpoint, or nil if there is none.
  public let checkpoint: Checkpoint?
  /// The newer ones that were damaged, newest first.
  public let setAside: [SetAside]
}

extension CheckpointStore {
  /// Verifies from the newest checkpoint to the oldest and returns the first that is whole.
  ///
  /// A damaged one is renamed to `….damaged` and gets a `REASON.txt`, so that nobody meets it
  /// again; where the folder is read-only, it is only passed over. One process calls this.
  ///
  /// `known` is a checkpoint that this process has just verified: it is not read again.
  ///
  /// - Throws: ``StorageError`` if something cannot be read, which says nothing about its contents;
  ///   ``CheckpointError/unknownVersion(path:found:supported:)`` rather than falling back behind
  ///   the work of a newer release.
  public func newestVerified(known: Checkpoint? = nil) throws -> Recovery {
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

  /// The same for whoever only reads: damaged ones are passed over and stay where they are.
  ///
  /// - Throws: As ``newestVerified(known:)``.
  public func newestWhole() throws -> Recovery {
    var passedOver: [SetAside] = []
    for name in try candidates() {
      do {
        let checkpoint = try Checkpoint(verifying: path(of: name))
        return Recovery(checkpoint: checkpoint, setAside: passedOver)
      } catch let error as CheckpointError {
        if case .unknownVersion = error { throw error }
        passedOver.append(SetAside(name: name.text, reason: error.description, newName: nil))
      }
    }
    return Recovery(checkpoint: nil, setAside: passedOver)
  }

  /// Published folders, newest first, each before the one that it was about to replace.
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

  /// Renames a damaged checkpoint; nil if it is gone, because its owner removed it meanwhile.
  private func setAside(
    _ name: CheckpointName, because error: CheckpointError
  ) throws(StorageError) -> SetAside? {
    let target = try free { .damaged(step: name.step, copy: $0) }
    do {
      try FileSystem.rename(path(of: name), to: target)
    } catch .notFound {
      return nil
    } catch .readOnly, .denied {
      return SetAside(name: name.text, reason: error.description, newName: nil)
    }
    // A full disk must not stand in the way of falling back; the caller has the reason anyway.
    try? FileSystem.sync(folder: path)
    try? write(error.description + "\n", to: "\(target)/REASON.txt")
    let newName = target.split(separator: "/").last.map(String.init)
    return SetAside(name: name.text, reason: error.description, newName: newName)
  }

  private func write(_ text: String, to path: String) throws(StorageError) {
    var file = try DurableFile(creating: path)
    try file.write(text)
    _ = try file.close()
  }
}

extension CheckpointName {
  /// The step of the checkpoint that this is, was or will be.
  var step: Int {
    switch self {
    case .published(let step), .draft(let step, _), .replaced(let step), .damaged(let step, _),
      .deleting(let step, _):
      step
    }
  }
}
