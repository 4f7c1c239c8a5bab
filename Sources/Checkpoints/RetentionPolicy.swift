import Files

/// The rule by which old checkpoints are deleted.
package struct RetentionPolicy: Sendable, Hashable {
  /// Number of newest checkpoints to keep.
  package let keep: Int
  /// Checkpoints whose step is a multiple of this are always kept; nil for none.
  package let keepEvery: Int?

  /// A policy; at least the newest checkpoint is always kept.
  package init(keep: Int, keepEvery: Int? = nil) {
    precondition(keep >= 1, "keep is \(keep): the newest checkpoint must be kept")
    precondition(keepEvery.map { $0 >= 1 } ?? true, "keepEvery is \(keepEvery ?? 0)")
    self.keep = keep
    self.keepEvery = keepEvery
  }

  /// Returns the steps of `steps` to delete, ascending; never one of `protected`.
  ///
  /// Protected steps count among the newest `keep`.
  package func stepsToDelete(from steps: [Int], protecting protected: Set<Int> = []) -> [Int] {
    Set(steps).sorted().dropLast(keep).filter { step in
      !protected.contains(step) && keepEvery.map { !step.isMultiple(of: $0) } ?? true
    }
  }
}

extension CheckpointStore {
  /// Deletes the checkpoints that `policy` does not keep and returns their steps, ascending.
  ///
  /// Called by rank 0 after publishing. A crash at any moment leaves intact checkpoints and
  /// `.deleting` folders, which ``removeStale(exceptAttempt:)`` removes.
  @discardableResult
  package func prune(
    _ policy: RetentionPolicy, protecting protected: Set<Int> = [], attempt: String
  ) throws(StorageError) -> [Int] {
    try requireClaim(attempt: attempt)
    let steps = policy.stepsToDelete(from: try publishedSteps(), protecting: protected)
    try remove(steps.map { .published(step: $0) })
    return steps
  }
}
