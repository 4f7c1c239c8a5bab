import Checkpoints
import Configuration
import Models
import Optimizers
import Tokenizers

/// A run with everything settled: past this point nothing is optional.
public struct TrainingPlan: Sendable {
  /// What was typed, with every default.
  public let options: TrainingOptions
  /// The same as a file.
  public let resolved: String
  /// The tokenizer.
  public let tokenizer: any Tokenizer
  /// The model.
  public let model: any ModelConfiguration
  /// The learning rate.
  public let schedule: Schedule

  /// Settles what the keys of `reader` say; loads the tokenizer.
  public init(_ reader: inout ConfigurationReader) throws {
    options = try TrainingOptions(&reader)
    try reader.finish()
    resolved = reader.resolved
    tokenizer =
      options.tokenizer == "bytes"
      ? ByteTokenizer() : try TokenizerFile.load(from: options.tokenizer)
    model = try options.model.configuration(tokenizer: tokenizer, reader)
    schedule = Schedule(
      shape: options.schedule, peak: options.learningRate, final: options.finalRate,
      warmup: options.warmup, decay: options.decay, steps: options.steps)
  }

  /// The update rule.
  public var optimizer: any Optimizer {
    switch options.rule {
    case .adamw:
      AdamW(
        betas: (Float(options.betas[0]), Float(options.betas[1])),
        epsilon: Float(options.epsilon), weightDecay: Float(options.weightDecay))
    case .sgd:
      SGD(momentum: Float(options.momentum), weightDecay: Float(options.weightDecay))
    }
  }

  /// Which checkpoints stay.
  public var retention: RetentionPolicy {
    RetentionPolicy(keep: options.keep, keepEvery: options.keepEvery)
  }

  /// Target tokens in a step.
  public var tokensPerStep: Int { options.microBatches * options.sequences * model.context }
}
