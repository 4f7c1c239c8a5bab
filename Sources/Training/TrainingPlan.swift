import Checkpoints
import Configuration
import Glibc
import Models
import Monitoring
import Optimizers
import Tensors
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
  /// What products read.
  public let precision: Precision
  /// Those of the keys under `data` that the user wrote.
  let writtenDataKeys: Set<String>

  /// Settles what the keys of `reader` say; loads the tokenizer.
  ///
  /// - Parameter halvesAreQuick: Whether the CPUs of all ranks are quicker in bf16 than in fp32.
  public init(
    _ reader: inout ConfigurationReader, halvesAreQuick: Bool = MatrixLibrary.hasHalfProducts
  ) throws {
    options = try TrainingOptions(&reader)
    precision = options.precision.resolved(halvesAreQuick: halvesAreQuick)
    try reader.finish()
    writtenDataKeys = Set(
      ["data.validation", "data.textField"].filter(reader.isWritten))
    resolved = reader.resolved
    tokenizer =
      options.tokenizer == "bytes"
      ? ByteTokenizer() : try TokenizerFile.load(from: options.tokenizer)
    model = try options.model.configuration(tokenizer: tokenizer, reader)
    try TrainingPlan.requireMemory(for: model, sequences: options.sequences, reader)
    schedule = Schedule(
      shape: options.schedule, peak: options.learningRate, final: options.finalRate,
      warmup: options.warmup, decay: options.decay, steps: options.steps)
  }

  /// Refuses what cannot fit into this host's memory however many ranks there are: weights, one
  /// gradient, and the logits of one micro-batch.
  private static func requireMemory(
    for model: any ModelConfiguration, sequences: Int, _ reader: ConfigurationReader
  ) throws(ConfigurationError) {
    let available = ProcessMemory.available()
    let float = MemoryLayout<Float>.stride
    let weights = 2 * model.layout.count * float
    let logits = sequences * model.context * model.vocabulary * float
    for (key, bytes) in [("model.width", weights), ("batch.sequences", logits)]
    where bytes > available {
      throw reader.rejection(
        of: key,
        because: "\(key == "model.width" ? "weights and gradient" : "the logits of a micro-batch") "
          + "need \(bytes >> 20) MiB and this host has \(available >> 20) MiB of memory; choose "
          + "smaller sizes")
    }
  }

  /// Leaves of the summation tree: micro-batches, those added in order counted as one.
  var leaves: Int { options.microBatches / options.accumulation }

  /// Most workers of a rank whose gradients fit into `bytes` beside the weights and the optimizer's
  /// state, a fifth left for activations and the rest; at least 1.
  ///
  /// A worker holds a gradient for every level of the tree over its leaves.
  func workersThatFit(into bytes: Int, ranks: Int) -> Int {
    let own = (leaves + ranks - 1) / ranks
    let weights = precision == .bf16 ? 6 : 4
    let moments = MemoryLayout<Float>.stride * optimizer.stateNames.count / ranks
    return (1...own).last { workers in
      let run = (own + workers - 1) / workers
      let levels = Int.bitWidth - run.leadingZeroBitCount
      let gradients = MemoryLayout<Float>.stride * workers * levels
      return (weights + moments + gradients) * model.layout.count <= bytes / 5 * 4
    } ?? 1
  }

  /// The lines of the resolved file, each under its number, for comparing ranks.
  var lines: [(name: String, value: String)] {
    resolved.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
      ("line \($0.offset + 1) of the resolved configuration", String($0.element.drop { $0 == " " }))
    }
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

extension TrainingOptions.PrecisionChoice {
  /// What it comes to on this CPU.
  public var resolved: Precision { resolved(halvesAreQuick: MatrixLibrary.hasHalfProducts) }

  /// What it comes to where the CPUs are, or are not, quicker in bf16 than in fp32.
  func resolved(halvesAreQuick: Bool) -> Precision {
    switch self {
    case .fp32: .fp32
    case .bf16: .bf16
    case .auto: halvesAreQuick ? .bf16 : .fp32
    }
  }
}
