/// Why a run does not begin, beside what its configuration, its data or a checkpoint say themselves.
public enum StartRefusal: Error, Equatable, Sendable, CustomStringConvertible {
  /// A rank does not find in the run folder what rank 0 has just put there.
  case folderNotShared(path: String)
  /// The checkpoint to go on from is past the last step.
  case stepsDone(checkpoint: String, step: Int, steps: Int)
  /// The run began with other weights than are now in the folder that it goes on from, by SHA-256.
  case otherStart(checkpoint: String, from: String, expected: String, found: String)

  /// One sentence: what, where, why, what to do.
  public var description: String {
    switch self {
    case .folderNotShared(let path):
      "the run folder \(path) is not the one that rank 0 writes to: the ranks on all hosts must "
        + "share it, so put it on a file system that all of them mount, at the same path"
    case .otherStart(let checkpoint, let from, let expected, let found):
      "\(checkpoint) began with weights of the SHA-256 \(expected), and those in \(from) have "
        + "\(found): restore those weights, or begin anew with --resume never"
    case .stepsDone(let checkpoint, let step, let steps):
      "the run has \(steps) steps and \(checkpoint) has done \(step) already: raise steps, name an "
        + "earlier checkpoint with --resume, or begin anew with --resume never"
    }
  }
}
