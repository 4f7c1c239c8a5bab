/// A checkpoint that could not be written or published.
package struct SaveFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// The step of the checkpoint.
  package let step: Int
  /// The rank that failed; the lowest of several.
  package let rank: Int
  /// Its error as the part of a sentence.
  package let reason: String

  package init(step: Int, rank: Int, reason: String) {
    (self.step, self.rank, self.reason) = (step, rank, reason)
  }

  /// One sentence: what, where, why, what to do.
  package var description: String {
    "the checkpoint of step \(step) cannot be saved on rank \(rank): \(reason)"
  }
}

/// The saves that failed since the last one that succeeded, and the decision how long to continue
/// without one; used on rank 0.
///
/// Training continues after a failed save, because a disk may have room again before the next one.
/// A run that has saved nothing for three intervals ends, so that no more work is lost than that.
struct FailedSaves {
  /// Steps between checkpoints; 0 when only the end is saved.
  let interval: Int
  /// The step of the first of the failed saves; nil when the last save succeeded.
  private(set) var first: Int?
  /// The number of failed saves since then.
  private var count = 0
  /// The step at which the next save is tried; nil when no save has failed.
  private(set) var retry: Int?

  init(interval: Int) { self.interval = interval }

  /// The step at which the run ends unless a save succeeds; nil for no such step.
  private var last: Int? {
    guard let first, interval > 0, interval < Int.max / 4 else { return nil }
    return first + 3 * interval
  }

  /// Takes a failure that is known after `step`.
  ///
  /// - Returns: The warning, as the part of a sentence.
  /// - Throws: The failure, when the run should end.
  mutating func record(_ failure: SaveFailure, after step: Int) throws(SaveFailure) -> String {
    first = first ?? failure.step
    count += 1
    guard let last else { return "\(failure); training continues" }
    // Steps may be faster than saves: a save is tried three times at least.
    if step >= last && count >= 3 { throw failure }
    let next = min(max(last, step + 1), step + max(1, interval / 4))
    retry = next
    return
      "\(failure); training continues, the next save is tried at step \(next), and the run ends "
      + "if none succeeds by step \(max(last, next))"
  }

  /// Takes the success of a save.
  mutating func clear() { (first, retry, count) = (nil, nil, 0) }
}
