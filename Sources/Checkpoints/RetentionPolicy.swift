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

extension RetentionPolicy {
  /// Returns the least number of checkpoints by which a run will exceed, at some moment, those that
  /// are there now: with the draft that is written before an older one is deleted, and without the
  /// best evaluation's.
  ///
  /// - Parameters:
  ///   - step: The step at which the run begins.
  ///   - steps: The last step, which is always saved.
  ///   - every: Steps between checkpoints; 0 saves only the last.
  ///   - published: The number of checkpoints there are.
  package func growth(from step: Int, to steps: Int, every: Int, published: Int) -> Int {
    let isLastExtra = every == 0 || !steps.isMultiple(of: every)
    let saves = (every > 0 ? steps / every - step / every : 0) + (isLastExtra ? 1 : 0)
    let kept = keepEvery.map { keepEvery in
      // Saves at a multiple of both stay forever.
      every > 0 ? steps / lcm(every, keepEvery) - step / lcm(every, keepEvery) : 0
    }
    // The newest ones may be among those that stay.
    let most = max(keep + 1, kept ?? 0)
    return max(1, min(published + saves, most) - published)
  }

  private func lcm(_ a: Int, _ b: Int) -> Int {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    let (product, overflow) = (a / x).multipliedReportingOverflow(by: b)
    return overflow ? .max : product
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
