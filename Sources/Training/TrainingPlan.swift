import Checkpoints
import Configuration
import Datasets
import Files
import Glibc
import Models
import Monitoring
import Optimizers
import Tensors
import Tokenizers

/// The resolved settings of a run; the phase keeps its own settings beside it, see `Phase`.
package struct TrainingPlan: Sendable {
  /// The source of the initial weights.
  package enum Weights: Sendable, Equatable {
    /// Random numbers from the run's seed.
    case random
    /// The model in this folder; parameters that it does not have are random.
    case folder(String)
  }

  /// The values of the keys that every phase has.
  package let options: TrainingOptions
  /// The configuration as YAML, with every key and default.
  package let resolved: String
  package let tokenizer: any Tokenizer
  /// The chat template; nil for a model without one.
  package let template: ChatTemplate?
  /// The trained network.
  package let network: TrainedNetwork
  /// The LoRA adapters; nil to train all weights.
  package let lora: LoRA?
  /// The base model of the adapters; nil without adapters.
  let adapterBase: AdapterBase?
  /// The source of the initial weights.
  package let weights: Weights
  /// Rows of a micro-batch.
  package let rows: Int
  /// Positions of a row.
  package let context: Int
  /// Positions of a row's encoder input; 0 without an encoder.
  package let sourceContext: Int
  /// The learning-rate schedule.
  package let schedule: Schedule
  /// The operand precision of matrix products.
  package let precision: Precision
  /// True when a row's forward pass must have the same bits in every batch; see `Workspace`.
  package let isBatchInvariant: Bool
  /// The entries that the phase adds to `settings`.
  let phaseSettings: [String: String]
  /// The numbers of trained and of frozen parameters, with padding.
  package let counts: (trained: Int, frozen: Int)

  /// Resolves the settings that every phase has.
  ///
  /// - Parameters:
  ///   - options: The keys of every phase.
  ///   - reader: The reader, after all keys are read.
  ///   - start: The initial model; nil for a new one.
  ///   - rows: Rows of a micro-batch; nil for the number of its sequences.
  ///   - context: Positions of a row; nil for the model's maximum.
  ///   - sourceContext: Positions of a row's encoder input; nil for `context` in a
  ///     sequence-to-sequence model and 0 in others.
  ///   - isBatchInvariant: True when a row's forward pass must not depend on its batch.
  ///   - bf16IsFaster: True when the CPUs of all ranks compute faster in bf16 than in fp32.
  init(
    _ options: TrainingOptions, _ reader: ConfigurationReader, tokenizer: any Tokenizer,
    network: TrainedNetwork, lora: LoRA? = nil, start: PhaseModel? = nil, rows: Int? = nil,
    context: Int? = nil, sourceContext: Int? = nil, settings: [String: String] = [:],
    isBatchInvariant: Bool = false,
    bf16IsFaster: Bool
  ) throws {
    try reader.finish()
    self.options = options
    self.tokenizer = tokenizer
    self.network = network
    self.lora = lora
    template = start?.template
    weights = start.map { .folder($0.folder.path) } ?? .random
    adapterBase = lora == nil ? nil : try start.map { try AdapterBase($0.folder) }
    self.rows = rows ?? options.sequences
    let positions = context ?? start?.context ?? network.model.context
    self.context = positions
    self.sourceContext =
      sourceContext ?? (network.model.prediction == .sequenceToSequence ? positions : 0)
    precision = options.precision.resolved(bf16IsFaster: bf16IsFaster)
    self.isBatchInvariant = isBatchInvariant
    resolved = reader.resolved
    phaseSettings = settings
    let layouts = try lora.map { try network.configuration.layout($0) }
    counts =
      layouts.map { ($0.trainable.count, $0.frozen.count) }
      ?? (network.configuration.layout.count, 0)
    schedule = Schedule(
      shape: options.schedule, peak: options.learningRate, final: options.finalRate,
      warmup: options.warmup, decay: options.decay, steps: options.steps)
    try requireMemory(reader)
  }

  /// The language model of the network.
  package var model: any ModelConfiguration { network.model }

  /// Refuses sizes that exceed this host's memory with any number of ranks: weights with one
  /// gradient, or the logits of one micro-batch.
  private func requireMemory(_ reader: ConfigurationReader) throws(ConfigurationError) {
    let available = ProcessMemory.available()
    let float = MemoryLayout<Float>.stride
    let sizes = (2 * counts.trained + counts.frozen) * float
    let logits = rows * context * model.vocabulary * float
    for (key, bytes) in [("model.width", sizes), ("batch.sequences", logits)]
    where bytes > available {
      throw reader.rejection(
        of: key,
        because: "\(key == "model.width" ? "weights and gradient" : "the logits of a micro-batch") "
          + "need \(bytes >> 20) MiB and this host has \(available >> 20) MiB of memory; choose "
          + "smaller sizes")
    }
  }

  /// The number of leaves of the summation tree: micro-batches over `batch.accumulation`.
  var leaves: Int { options.microBatches / options.accumulation }

  /// Returns the largest number of workers of a rank whose gradients fit into `bytes` beside the
  /// weights and the optimizer's state, with a fifth left for activations and the rest; at least 1.
  func workersThatFit(into bytes: Int, ranks: Int) -> Int {
    let own = (leaves + ranks - 1) / ranks
    let moments = MemoryLayout<Float>.stride * optimizer.stateNames.count / ranks
    return (1...own).last { workers in
      let gradients = 4 * workers * levels(of: own, workers: workers)
      let needed =
        (precision.weightBytes + moments + gradients) * counts.trained
        + precision.weightBytes * counts.frozen
      return needed <= bytes / 5 * 4
    } ?? 1
  }

  /// Estimates the bytes that a rank needs for weights, gradients, the optimizer's state and the
  /// logits of its workers, without other activations.
  package func memory(ranks: Int, threads: Int) -> Int {
    let own = (leaves + ranks - 1) / ranks
    let workers = min(threads, own)
    let gradients = 4 * workers * levels(of: own, workers: workers)
    let moments = MemoryLayout<Float>.stride * optimizer.stateNames.count / ranks
    let logits = 4 * workers * rows * context * model.vocabulary
    return (precision.weightBytes + moments + gradients) * counts.trained
      + precision.weightBytes * counts.frozen + logits
  }

  /// Returns the bytes that a single rank needs for weights, one gradient, and the two moments of
  /// AdamW; `frozen` parameters have only weights.
  package static func memory(trained: Int, frozen: Int, _ precision: Precision) -> Int {
    let numbers = 1 + AdamW(betas: (0, 0), weightDecay: 0).stateNames.count
    return (precision.weightBytes + numbers * MemoryLayout<Float>.stride) * trained
      + precision.weightBytes * frozen
  }

  /// The number of gradients that a worker holds: one for every level of the tree over its leaves.
  private func levels(of leaves: Int, workers: Int) -> Int {
    let run = (leaves + workers - 1) / workers
    return Int.bitWidth - run.leadingZeroBitCount
  }

  /// A hash of the names, shapes and offsets of all parameters.
  var layoutDigest: UInt64 {
    FNV1a(Array(network.configuration.layout.summary.utf8)).value
  }

  /// The lines of the resolved configuration with their numbers, to compare ranks.
  var lines: [(name: String, value: String)] {
    resolved.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
      ("line \($0.offset + 1) of the resolved configuration", String($0.element.drop { $0 == " " }))
    }
  }

  /// The optimizer.
  package var optimizer: any Optimizer {
    switch options.rule {
    case .adamw:
      AdamW(
        betas: (Float(options.betas[0]), Float(options.betas[1])),
        epsilon: Float(options.epsilon), weightDecay: Float(options.weightDecay))
    case .sgd:
      SGD(momentum: Float(options.momentum), weightDecay: Float(options.weightDecay))
    }
  }

  /// The checkpoints to keep.
  package var retention: RetentionPolicy {
    RetentionPolicy(keep: options.keep, keepEvery: options.keepEvery)
  }

  /// The number of positions in a step, of encoder and decoder inputs.
  package var tokensPerStep: Int { options.microBatches * rows * (context + sourceContext) }
}

extension TrainingOptions.PrecisionChoice {
  /// The precision on this CPU.
  package var resolved: Precision { resolved(bf16IsFaster: MatrixLibrary.bf16IsFaster) }

  /// Returns the precision for CPUs that compute faster, or not, in bf16 than in fp32.
  func resolved(bf16IsFaster: Bool) -> Precision {
    switch self {
    case .fp32: .fp32
    case .bf16: .bf16
    case .auto: bf16IsFaster ? .bf16 : .fp32
    }
  }
}
