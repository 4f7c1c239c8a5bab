import Configuration

/// The phases by the names of their commands.
public enum PhaseKind: String, Sendable, CaseIterable {
  /// Self-supervised training on text.
  case pretrain
  /// Supervised fine-tuning.
  case finetune
  /// A reward model from pairs.
  case reward
  /// Reinforcement learning, or preference optimization.
  case align

  /// Settles what the keys of `reader` say.
  ///
  /// - Parameter halvesAreQuick: Whether the CPUs of all ranks are quicker in bf16 than in fp32.
  public func phase(_ reader: inout ConfigurationReader, halvesAreQuick: Bool) throws -> any Phase {
    switch self {
    case .pretrain: try Pretraining(&reader, halvesAreQuick: halvesAreQuick)
    case .finetune: try Finetuning(&reader, halvesAreQuick: halvesAreQuick)
    case .reward: try RewardModelling(&reader, halvesAreQuick: halvesAreQuick)
    case .align: try Alignment(&reader, halvesAreQuick: halvesAreQuick)
    }
  }

  /// Reads the keys alone, for their schema and for a look at a file.
  public func readKeys(_ reader: inout ConfigurationReader) throws {
    switch self {
    case .pretrain: _ = try PretrainingOptions(&reader)
    case .finetune: _ = try FinetuningOptions(&reader)
    case .reward: _ = try RewardOptions(&reader)
    case .align: _ = try AlignmentOptions(&reader)
    }
  }
}
