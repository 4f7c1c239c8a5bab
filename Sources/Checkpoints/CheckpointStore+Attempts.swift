import Files
import Glibc

extension CheckpointStore {
  private static let claimName = "ATTEMPT"
  private var claimPath: String { "\(path)/\(Self.claimName)" }

  /// Claims the folder for this attempt and removes the leftovers of other attempts.
  ///
  /// Rank 0 calls it before anything is written. From here on no other attempt can publish, so all
  /// checks that could refuse this attempt come before. `attempt` must never have been used in this
  /// folder.
  ///
  /// - Returns: The number of the attempt in this folder, from 1. Of two claims at the same moment
  ///   both may have the same number, and only one holds the folder.
  @discardableResult
  package func claim(attempt: String) throws(StorageError) -> Int {
    precondition(CheckpointName.isValid(attempt: attempt), "\(attempt) cannot name an attempt")
    try FileSystem.makeFolder(path)
    let number = (try claim()?.number ?? 0) + 1
    let draft = "\(claimPath).\(attempt).tmp"
    var file = try DurableFile(creating: draft)
    try file.write("\(number) \(attempt)")
    _ = try file.close()
    do {
      try FileSystem.rename(draft, to: claimPath)
    } catch {
      // An attempt that claims the folder at the same time removes the draft of this one.
      if case .call(_, _, ENOENT) = error { try requireClaim(attempt: attempt) }
      throw error
    }
    try FileSystem.sync(folder: path)
    try removeStale(exceptAttempt: attempt)
    return number
  }

  /// Throws ``StorageError/superseded(path:attempt:holder:)`` if another attempt holds the folder.
  ///
  /// - Parameter isMade: True to throw the error of a missing file too, as when the folder was removed or
  ///   renamed after the claim.
  package func requireClaim(attempt: String, isMade: Bool = false) throws(StorageError) {
    guard let holder = try claim()?.attempt else {
      if isMade { throw .call(operation: "open", path: claimPath, code: ENOENT) }
      return
    }
    if holder != attempt { throw .superseded(path: path, attempt: attempt, holder: holder) }
  }

  /// Returns true when this process sees the claim of `attempt` by another process, that is, when
  /// both use the same folder.
  ///
  /// Looks for three seconds, because network file systems may show a new name late.
  package func showsClaim(attempt: String) throws(StorageError) -> Bool {
    for _ in 0..<30 {
      // Opening a folder makes NFS ask the server for its contents.
      _ = try contents()
      if try claim()?.attempt == attempt { return true }
      usleep(100_000)
    }
    return false
  }

  /// Returns the attempt that holds the folder, and its number, which is 0 where a release that did
  /// not count wrote it; nil for none.
  private func claim() throws(StorageError) -> (number: Int, attempt: String)? {
    do {
      let text = String(decoding: try InputFile(claimPath).contents(limit: 4096), as: UTF8.self)
      let words = text.split(separator: " ", maxSplits: 1).map(String.init)
      guard words.count == 2, let number = Int(words[0]), 0..<Int.max - 1 ~= number else {
        return (0, text)
      }
      return (number, words[1])
    } catch .call(_, _, ENOENT) {
      return nil
    } catch .notAFile(let path) {
      throw .occupied(path: path)
    }
  }

  /// Removes the leftovers of other attempts.
  ///
  /// Drafts and unfinished deletions are removed; an interrupted replacement is finished or undone.
  /// Damaged checkpoints stay, so that they can be examined.
  package func removeStale(exceptAttempt attempt: String) throws(StorageError) {
    try requireClaim(attempt: attempt)
    let names = try contents()
    var leaving: [CheckpointName] = []
    for name in names {
      switch name {
      case .draft(_, let owner) where owner != attempt:
        leaving.append(name)
      case .replaced(let step):
        if names.contains(.published(step: step)) {
          leaving.append(name)
        } else {
          try FileSystem.rename(path(of: name), to: path(of: .published(step: step)))
        }
      default: break
      }
    }
    try remove(leaving)
    for case .deleting(let step, let copy) in names {
      try FileSystem.removeTree(path(of: .deleting(step: step, copy: copy)))
    }
    for name in try FileSystem.names(in: path)
    where name.hasPrefix("\(Self.claimName).") && name != "\(Self.claimName).\(attempt).tmp" {
      try FileSystem.removeTree("\(path)/\(name)")
    }
  }

  /// Removes the published checkpoints after `step`, newest first, so that a crash leaves those of one
  /// history; returns their steps, descending.
  ///
  /// Called by rank 0 for steps that are undone.
  @discardableResult
  package func removeCheckpoints(after step: Int, attempt: String) throws(StorageError) -> [Int] {
    try requireClaim(attempt: attempt)
    let steps = try publishedSteps().filter { $0 > step }.reversed()
    try remove(steps.map { .published(step: $0) })
    return Array(steps)
  }

  /// Removes folders; each is renamed first, so that none is seen half empty under its old name.
  func remove(_ names: [CheckpointName]) throws(StorageError) {
    var leaving: [String] = []
    for name in names {
      let target = try free { .deleting(step: name.step, copy: $0) }
      do {
        try FileSystem.rename(path(of: name), to: target)
        leaving.append(target)
      } catch .call(_, _, ENOENT) {
        continue
      }
    }
    if leaving.isEmpty { return }
    // After an error of the disk the folders are removed all the same: it may be full.
    let synced = Result { () throws(StorageError) in try FileSystem.sync(folder: path) }
    for path in leaving { try FileSystem.removeTree(path) }
    try synced.get()
  }

  /// Returns the path of the first copy number whose name is free.
  func free(_ name: (Int) -> CheckpointName) throws(StorageError) -> String {
    var copy = 0
    while try FileSystem.exists(path(of: name(copy))) { copy += 1 }
    return path(of: name(copy))
  }
}
