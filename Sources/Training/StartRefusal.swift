import Files

/// The refusal to start a run for a reason beside those of configuration, data and checkpoints.
package enum StartRefusal: Error, Equatable, Sendable, CustomStringConvertible {
  /// A rank does not find in the run folder what rank 0 has just written.
  case folderNotShared(path: String)
  /// The checkpoint to resume from is past the last step.
  case stepsDone(checkpoint: String, step: Int, steps: Int)
  /// A run that stops early has no validation loss.
  case noValidation
  /// `guard.skipped` names a part of an iteration of so many steps.
  case partOfIteration(steps: String, iteration: Int)
  /// The run began with other weights, by SHA-256, than those that are now in the folder `from`.
  case otherStart(checkpoint: String, from: String, expected: String, found: String)
  /// The ranks cannot be divided over the workers of DiLoCo.
  case ranksOfWorkers(ranks: Int, workers: Int)
  /// A rank needs more memory than the `available` bytes that it may use.
  case noMemory(MemoryNeed, available: Int)
  /// The checkpoints that a run keeps need more bytes than its disk has.
  case noRoom(path: String, checkpoints: Int, needed: Int, available: Int)

  /// One sentence: what, where, why, what to do.
  package var description: String {
    switch self {
    case .noMemory(let need, let available):
      "training needs at least \(max(1, need.total >> 20)) MiB of memory on each rank (\(need.list)), and "
        + "\(max(0, available) >> 20) MiB are available to it: \(need.largest.remedy)"
    case .noRoom(let path, let checkpoints, let needed, let available):
      "no room at \(path): the \(checkpoints, "checkpoint") still to come need at least "
        + "\(max(1, needed >> 20)) MiB at a time and \(available >> 20) MiB are free: free some space, lower "
        + "checkpoint.keep, or name another folder with run"
    case .ranksOfWorkers(let ranks, let workers):
      "\(ranks, "rank") cannot be divided over the \(workers, "worker") of sync: diloco "
        + "(diloco.workers): start a number of ranks that is a multiple or a divisor of "
        + "\(workers)"
    case .folderNotShared(let path):
      "the run folder \(path) is not the one that rank 0 writes to: the ranks on all hosts must "
        + "share it, so put it on a file system that all of them mount, at the same path"
    case .noValidation:
      "earlyStopping.patience needs a validation loss, and the run has no validation data: set "
        + "data.validation, or leave the key out"
    case .partOfIteration(let steps, let iteration):
      "guard.skipped is refused: \(steps) is not a range of whole rollout iterations, each of which "
        + "has \(iteration) steps; begin it after a multiple of \(iteration) and end it at one, or list "
        + "single steps"
    case .otherStart(let checkpoint, let from, let expected, let found):
      "the run of \(checkpoint) began with weights of SHA-256 \(expected), and those in \(from) "
        + "have \(found): restore those weights, or start over with --resume never"
    case .stepsDone(let checkpoint, let step, let steps):
      "the run has \(steps, "step") and \(checkpoint) is already at step \(step): raise steps, "
        + "name an earlier checkpoint with --resume, or start over with --resume never"
    }
  }
}
