/// Which checkpoints to keep.
public struct RetentionPolicy: Sendable, Hashable {
  /// How many of the newest to keep.
  public let keep: Int
  /// Keep also, for ever, those whose step is a multiple of this.
  public let keepEvery: Int?

  /// A policy; at least the newest checkpoint is always kept.
  public init(keep: Int, keepEvery: Int? = nil) {
    precondition(keep >= 1, "keep is \(keep): the newest checkpoint cannot be given up")
    precondition(keepEvery.map { $0 >= 1 } ?? true, "keepEvery is \(keepEvery ?? 0)")
    self.keep = keep
    self.keepEvery = keepEvery
  }

  /// The steps to delete out of `steps`, ascending; never one of `protected`.
  ///
  /// Protected steps count among the newest `keep`.
  public func stepsToDelete(from steps: [Int], protecting protected: Set<Int> = []) -> [Int] {
    Set(steps).sorted().dropLast(keep).filter { step in
      !protected.contains(step) && keepEvery.map { !step.isMultiple(of: $0) } ?? true
    }
  }
}

extension CheckpointStore {
  /// Deletes the checkpoints that `policy` does not keep and returns their steps, ascending.
  ///
  /// For rank 0, after publishing. A crash at any moment leaves whole checkpoints and `.deleting`
  /// folders, which ``removeStale(exceptAttempt:)`` clears.
  @discardableResult
  public func prune(
    _ policy: RetentionPolicy, protecting protected: Set<Int> = [], attempt: String
  ) throws(StorageError) -> [Int] {
    try requireClaim(attempt: attempt)
    let steps = policy.stepsToDelete(from: try publishedSteps(), protecting: protected)
    try remove(steps.map { .published(step: $0) })
    return steps
  }
}
