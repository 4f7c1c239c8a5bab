import Configuration

/// The phases by the names of their commands.
package enum PhaseKind: String, Sendable, CaseIterable {
  /// Self-supervised training on text.
  case pretrain
  /// Supervised fine-tuning.
  case finetune
  /// Reward modelling from preference pairs.
  case reward
  /// Reinforcement learning, or preference optimization.
  case align

  /// Makes the phase from the keys of `reader`.
  ///
  /// - Parameter bf16IsFaster: True when the CPUs of all ranks compute faster in bf16 than in fp32.
  package func phase(_ reader: inout ConfigurationReader, bf16IsFaster: Bool) throws -> any Phase {
    switch self {
    case .pretrain: try Pretraining(&reader, bf16IsFaster: bf16IsFaster)
    case .finetune: try Finetuning(&reader, bf16IsFaster: bf16IsFaster)
    case .reward: try RewardModelling(&reader, bf16IsFaster: bf16IsFaster)
    case .align: try Alignment(&reader, bf16IsFaster: bf16IsFaster)
    }
  }

  /// Reads only the keys, for their schema and to check a file.
  package func readKeys(_ reader: inout ConfigurationReader) throws {
    switch self {
    case .pretrain: _ = try PretrainingOptions(&reader)
    case .finetune: _ = try FinetuningOptions(&reader)
    case .reward: _ = try RewardOptions(&reader)
    case .align: _ = try AlignmentOptions(&reader)
    }
  }
}
