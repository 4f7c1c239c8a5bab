/// An event outside the training steps, with a sentence for the log.
package struct EventReport: Sendable, Equatable {
  /// The kind of an event; its raw value begins the log line.
  package enum Kind: String, Sendable, CaseIterable {
    /// The run began.
    case started = "start"
    /// The run resumes from a checkpoint.
    case resumed = "resume"
    /// A checkpoint is published and durable.
    case checkpointSaved = "checkpoint"
    /// A checkpoint was due and not written.
    case checkpointSkipped = "skipped"
    /// A damaged checkpoint was renamed, so that it is not used again.
    case checkpointSetAside = "set aside"
    /// The run will end before its last step.
    case stopping
    /// The run reached its last step.
    case finished = "done"
    /// A condition that the user should look at.
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

  package var kind: Kind
  /// The step after which the event happened, if any.
  package var step: Int?
  /// The event in one sentence.
  package var sentence: String

  package init(_ kind: Kind, step: Int? = nil, _ sentence: String) {
    self.kind = kind
    self.step = step
    self.sentence = sentence
  }
}
