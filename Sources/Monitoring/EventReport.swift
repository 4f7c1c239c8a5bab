/// Something that happened beside the steps, in a sentence.
public struct EventReport: Sendable, Equatable {
  /// The kinds of events; the raw value begins the line on a terminal.
  public enum Kind: String, Sendable, CaseIterable {
    /// The run began.
    case started = "start"
    /// The run goes on from a checkpoint.
    case resumed = "resume"
    /// A checkpoint is safe on the disk.
    case checkpointSaved = "checkpoint"
    /// A checkpoint was due and not written.
    case checkpointSkipped = "skipped"
    /// A damaged checkpoint was put out of the way.
    case checkpointSetAside = "set aside"
    /// The run will end before its last step.
    case stopping
    /// The run is done.
    case finished = "done"
    /// Something that a person should look at.
    case warning
    /// Anything else.
    case note

    var needsAttention: Bool {
      switch self {
      case .checkpointSkipped, .checkpointSetAside, .stopping, .warning: true
      default: false
      }
    }
  }

  /// What happened.
  public var kind: Kind
  /// The step after which it happened, when there was one.
  public var step: Int?
  /// The same in a sentence.
  public var sentence: String

  /// An event with its sentence.
  public init(_ kind: Kind, step: Int? = nil, _ sentence: String) {
    self.kind = kind
    self.step = step
    self.sentence = sentence
  }
}
