import Checkpoints
import Configuration
import Datasets
import Glibc
import Models
import Monitoring
import Optimizers
import Tensors
import Tokenizers

/// A run with everything settled: past this point nothing is optional.
///
/// The phase of the run has settled its own keys beside it; see `Phase`.
public struct TrainingPlan: Sendable {
  /// Where the first weights come from.
  public enum Weights: Sendable, Equatable {
    /// From random numbers of the run's seed.
    case drawn
    /// From the model in this folder; what that model does not have is drawn.
    case folder(String)
  }

  /// What was typed, with every default.
  public let options: TrainingOptions
  /// The same as a file, with the phase's keys.
  public let resolved: String
  /// The tokenizer.
  public let tokenizer: any Tokenizer
  /// How the model writes conversations; nil for one that does not.
  public let template: ChatTemplate?
  /// What is trained.
  public let network: TrainedNetwork
  /// The low-rank maps that are trained in place of the whole weights; nil for those.
  public let lora: LoRA?
  /// The model that these are trained beside.
  let adapterBase: AdapterBase?
  /// Where its first weights come from.
  public let weights: Weights
  /// Rows of a micro-batch.
  public let rows: Int
  /// Positions of a row.
  public let context: Int
  /// Positions of a row's source; 0 where there are no sources.
  public let sourceContext: Int
  /// The learning rate.
  public let schedule: Schedule
  /// What products read.
  public let precision: Precision
  /// Whether a row's forward pass has the same bits in every batch; see `Workspace`.
  public let isBatchInvariant: Bool
  /// What the phase's own keys add to `terms`.
  let phaseTerms: [String: String]
  /// How many numbers are trained, and how many are only read.
  public let counts: (trained: Int, frozen: Int)

  /// Settles what every phase has in common.
  ///
  /// - Parameters:
  ///   - options: The keys of every run.
  ///   - reader: Where they and the phase's keys came from, all read.
  ///   - start: The model that the run begins with.
  ///   - rows: Rows of a micro-batch; as many as it has sequences when nil.
  ///   - context: Positions of a row; the model's longest when nil.
  ///   - sourceContext: Positions of a row's source; as many as of a row when nil, in a model that has
  ///     sources.
  ///   - isBatchInvariant: Whether what the model says of a row must not depend on its batch.
  ///   - halvesAreQuick: Whether the CPUs of all ranks are quicker in bf16 than in fp32.
  init(
    _ options: TrainingOptions, _ reader: ConfigurationReader, tokenizer: any Tokenizer,
    network: TrainedNetwork, lora: LoRA? = nil, start: PhaseModel? = nil, rows: Int? = nil,
    context: Int? = nil, sourceContext: Int? = nil, terms: [String: String] = [:],
    isBatchInvariant: Bool = false,
    halvesAreQuick: Bool
  ) throws {
    try reader.finish()
    self.options = options
    self.tokenizer = tokenizer
    self.network = network
    self.lora = lora
    template = start?.template
    weights = start.map { .folder($0.folder.path) } ?? .drawn
    adapterBase = lora == nil ? nil : try start.map { try AdapterBase($0.folder) }
    self.rows = rows ?? options.sequences
    let positions = context ?? start?.context ?? network.model.context
    self.context = positions
    self.sourceContext =
      sourceContext ?? (network.model.prediction == .target ? positions : 0)
    precision = options.precision.resolved(halvesAreQuick: halvesAreQuick)
    self.isBatchInvariant = isBatchInvariant
    resolved = reader.resolved
    phaseTerms = terms
    let layouts = try lora.map { try network.configuration.layout($0) }
    counts =
      layouts.map { ($0.trainable.count, $0.frozen.count) }
      ?? (network.configuration.layout.count, 0)
    schedule = Schedule(
      shape: options.schedule, peak: options.learningRate, final: options.finalRate,
      warmup: options.warmup, decay: options.decay, steps: options.steps)
    try requireMemory(reader)
  }

  /// The decoder that is trained.
  public var model: any ModelConfiguration { network.model }

  /// Refuses what cannot fit into this host's memory however many ranks there are: weights, one
  /// gradient, and the logits of one micro-batch.
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

  /// Leaves of the summation tree: micro-batches, those added in order counted as one.
  var leaves: Int { options.microBatches / options.accumulation }

  /// Most workers of a rank whose gradients fit into `bytes` beside the weights and the optimizer's
  /// state, a fifth left for activations and the rest; at least 1.
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

  /// About how many bytes a rank needs for weights, gradients and the optimizer's state, and for the
  /// logits of its workers; activations come on top.
  public func memory(ranks: Int, threads: Int) -> Int {
    let own = (leaves + ranks - 1) / ranks
    let workers = min(threads, own)
    let gradients = 4 * workers * levels(of: own, workers: workers)
    let moments = MemoryLayout<Float>.stride * optimizer.stateNames.count / ranks
    let logits = 4 * workers * rows * context * model.vocabulary
    return (precision.weightBytes + moments + gradients) * counts.trained
      + precision.weightBytes * counts.frozen + logits
  }

  /// The bytes that a rank alone needs for weights, one gradient, and the two moments of AdamW; what
  /// is `frozen` has its weights alone.
  public static func memory(trained: Int, frozen: Int, _ precision: Precision) -> Int {
    let numbers = 1 + AdamW(betas: (0, 0), weightDecay: 0).stateNames.count
    return (precision.weightBytes + numbers * MemoryLayout<Float>.stride) * trained
      + precision.weightBytes * frozen
  }

  /// Gradients that a worker holds: one for every level of the tree over its leaves.
  private func levels(of leaves: Int, workers: Int) -> Int {
    let run = (leaves + workers - 1) / workers
    return Int.bitWidth - run.leadingZeroBitCount
  }

  /// Tells the parameters' names, shapes and places from any other.
  var layoutDigest: UInt64 {
    FNV1a(Array(network.configuration.layout.summary.utf8)).value
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

  /// Positions in a step.
  public var tokensPerStep: Int { options.microBatches * rows * (context + sourceContext) }
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
