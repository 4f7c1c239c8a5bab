import Checkpoints
import Configuration
import DataParallel
import Layers
import Models
import Optimizers
import Tensors
import Tokenizers

/// The resolved settings of a run, of every phase; the phase keeps its own beside it, see `Phase`.
package struct TrainingPlan: Sendable {
  /// The source of the initial weights.
  package enum Weights: Sendable, Equatable {
    /// Random numbers from the run's seed.
    case random
    /// The model in this folder; parameters that it does not have are random.
    case folder(String)
  }

  /// The run folder.
  package let run: String
  /// The seed of everything random.
  package let seed: UInt64
  /// Optimizer steps of the run; a default until ``decideSteps(by:iteration:)``, if `epochs` is given.
  package private(set) var steps: Int
  /// Epochs of the run; nil when the number of steps is given.
  package let epochs: Double?
  /// Evaluations in a row without a lower validation loss that end the run; nil never ends it.
  package let patience: Int?
  /// Micro-batches in a step, a power of two.
  package private(set) var microBatches: Int
  /// Micro-batches added in order per leaf of the summation tree.
  package let accumulation: Int
  package let reduction: GradientReduction
  /// The settings of DiLoCo; nil for ranks that agree on the weights after every step.
  package var diloco: DiLoCo?
  /// The activations that the backward pass recomputes.
  package let recomputation: Recomputation
  package let optimizer: any Optimizer
  /// The maximum gradient norm; 0 does not clip.
  package let clip: Double
  /// A loss above this multiple of its recent mean, three steps in a row, ends the run; 0 never.
  package var spike: Double
  /// The answer to a loss spike.
  package let onSpike: SpikeOptions
  /// The checkpoints to keep.
  package let retention: RetentionPolicy
  /// True to keep the checkpoint of the best evaluation as well.
  package let keepsBest: Bool
  /// Steps between checkpoints; 0 saves only at the end.
  package let checkpointEvery: Int
  /// Steps between evaluations; 0 evaluates only at the end.
  package let evaluateEvery: Int
  /// Steps between progress lines.
  package let logEvery: Int
  /// Seconds without a sign of life after which a rank that others wait for ends the run; 0 for
  /// never.
  let watchdogLimit: Double
  package let energy: EnergyOptions
  package let audit: AuditOptions
  /// The configuration as YAML, with every key and default.
  package let resolved: String
  package let tokenizer: any Tokenizer
  /// The chat template; nil for a model without one.
  package let template: ChatTemplate?
  /// The initial model's settings for generating text; nil for a new model.
  package let published: GenerationConfiguration?
  /// The trained network.
  package let network: any NetworkConfiguration
  /// The LoRA adapters; nil to train all weights.
  package let lora: LoRA?
  /// The base model of the adapters; nil without adapters.
  package let adapterBase: AdapterBase?
  /// The source of the initial weights.
  package let weights: Weights
  /// Notes about the initial model's folder, for the log.
  package let startNotes: [String]
  /// Rows of a micro-batch.
  package let rows: Int
  /// Positions of a row.
  package let context: Int
  /// Positions of a row's encoder input; 0 without an encoder.
  package let sourceContext: Int
  /// The learning-rate schedule.
  package private(set) var schedule: Schedule
  /// The longest warm-up of a schedule whose warm-up is a fraction of the steps that `epochs` decides;
  /// nil for a warm-up that is known.
  private let longestWarmup: Int?
  /// The operand precision of matrix products.
  package let precision: Precision
  /// True when every row has as many tokens as positions, as those of a stream of text.
  package let hasFullRows: Bool
  /// True when a row's forward pass must have the same bits in every batch; see `Workspace`.
  package let isBatchInvariant: Bool
  /// The keys that decide the bits of the weights, with their values as YAML.
  package private(set) var keySettings: [String: String]
  /// The entries that the phase adds to `settings`, such as the identity of its data.
  package let phaseSettings: [String: String]
  /// The numbers of trained and of frozen elements in the flat buffers, with padding.
  package let counts: (trained: Int, frozen: Int)
  /// The numbers of trained and of frozen parameters, without padding.
  package let parameters: (trained: Int, frozen: Int)

  /// Resolves the settings that every phase has.
  ///
  /// - Parameters:
  ///   - options: The keys of every phase.
  ///   - reader: The reader, after all keys are read.
  ///   - tokenizer: The tokenizer; nil for that of the initial model or, where none is given
  ///     because it need not exist yet, bytes.
  ///   - network: The trained network.
  ///   - lora: The LoRA adapters, beside which the heads of the network are trained in full; nil to
  ///     train all weights.
  ///   - start: The initial model; nil for a new one.
  ///   - rows: Rows of a micro-batch; nil for the number of its sequences.
  ///   - context: Positions of a row; nil for the model's maximum.
  ///   - sourceContext: Positions of a row's encoder input; nil for `context` in a
  ///     sequence-to-sequence model and 0 in others.
  ///   - settings: The entries that the phase adds to `settings`.
  ///   - hasFullRows: True when every row has as many tokens as positions.
  ///   - isBatchInvariant: True when a row's forward pass must not depend on its batch.
  ///   - bf16IsFaster: True when the CPUs of all ranks compute faster in bf16 than in fp32.
  package init(
    _ options: TrainingOptions, _ reader: ConfigurationReader, tokenizer: (any Tokenizer)? = nil,
    network: any NetworkConfiguration, lora: LoRA? = nil, start: InitialModel? = nil,
    rows: Int? = nil,
    context: Int? = nil, sourceContext: Int? = nil, settings: [String: String] = [:],
    hasFullRows: Bool = false, isBatchInvariant: Bool = false, bf16IsFaster: Bool
  ) throws {
    var lora = lora
    lora?.modulesToSave += network.headModules
    try reader.finish()
    run = options.run
    seed = UInt64(options.seed)
    steps = options.steps
    epochs = options.epochs
    patience = options.patience
    microBatches = options.microBatches
    accumulation = options.accumulation
    reduction = options.reduction
    diloco = options.diloco
    recomputation = options.recomputation
    optimizer = options.optimizer
    clip = options.clip
    spike = options.spike
    onSpike = options.onSpike
    retention = RetentionPolicy(keep: options.keep, keepEvery: options.keepEvery)
    keepsBest = options.keepBest
    checkpointEvery = options.checkpointEvery
    evaluateEvery = options.evaluateEvery
    logEvery = options.logEvery
    watchdogLimit = options.watchdogLimit
    energy = options.energy
    audit = options.audit
    self.tokenizer = tokenizer ?? start?.folder.tokenizer ?? ByteTokenizer()
    self.network = network
    self.lora = lora
    template = start?.template
    published = start?.folder.generation
    weights = start.map { .folder($0.folder.path) } ?? .random
    startNotes = start?.folder.notes ?? []
    adapterBase = lora == nil ? nil : try start.map { try AdapterBase($0.folder) }
    self.rows = rows ?? options.sequences
    let positions = context ?? start?.context ?? network.model.context
    self.context = positions
    self.sourceContext =
      sourceContext ?? (network.model.prediction == .sequenceToSequence ? positions : 0)
    precision = options.precision.resolved(bf16IsFaster: bf16IsFaster)
    self.hasFullRows = hasFullRows
    self.isBatchInvariant = isBatchInvariant
    resolved = reader.resolved
    keySettings = reader.settings
    phaseSettings = settings
    let layouts = try lora.map { try network.layout($0) }
    if let trained = layouts?.trainable.entries, !network.model.savesEmbeddingInFull,
      trained.contains(where: { $0.name == network.model.embeddingName })
    {
      throw reader.rejection(
        of: "lora.modulesToSave",
        because: "more than the head is tied to the token embedding of this model, and PEFT cannot "
          + "open such an adapter; leave the embedding out, or train all weights with lora.rank: 0")
    }
    counts =
      layouts.map { ($0.trainable.count, $0.frozen.count) }
      ?? (network.layout.count, 0)
    parameters =
      layouts.map { ($0.counts.trainable, $0.counts.frozen) }
      ?? (network.layout.parameterCount, 0)
    schedule = Schedule(
      shape: options.schedule, peak: options.learningRate, final: options.finalRate,
      warmup: options.warmup ?? 0, decay: options.decay, steps: options.steps)
    longestWarmup = options.warmup == nil ? options.longestWarmup : nil
    try requireMemory(reader)
  }

  /// Sets `steps`, and a warm-up that follows from it, to the fewest in which `objective` sees `epochs` epochs, a multiple of `iteration`.
  mutating func decideSteps(by objective: any Objective, iteration: Int) {
    guard let epochs else { return }
    // The fraction of rounding errors is no further step.
    let seen = { (iterations: Int) in objective.epochs(steps: iterations * iteration) + 1e-9 }
    var (few, enough) = (0, 1)
    while seen(enough) < epochs, enough < 1 << 40 { (few, enough) = (enough, 2 * enough) }
    while few + 1 < enough {
      let middle = (few + enough) / 2
      if seen(middle) < epochs { few = middle } else { enough = middle }
    }
    steps = enough * iteration
    let warmup = longestWarmup.map { TrainingOptions.warmup(longest: $0, steps: steps) }
    schedule = schedule.with(steps: steps, warmup: warmup ?? schedule.warmup)
    keySettings["schedule.warmup"] = "\(schedule.warmup)"
  }

  /// Returns the plan of a step of `leaves` leaves, a power of two, after which the ranks agree, with all
  /// else the same.
  package func with(leaves: Int) -> TrainingPlan {
    var plan = self
    (plan.microBatches, plan.diloco) = (leaves * accumulation, nil)
    return plan
  }

  /// The number of buffers of the optimizer's state; with DiLoCo, of that of one worker.
  package var stateCount: Int { optimizer.stateNames.count }

  /// The language model of the network.
  package var model: any ModelConfiguration { network.model }

  /// The number of leaves of the summation tree: micro-batches over `batch.accumulation`.
  package var leaves: Int { microBatches / accumulation }

  /// The number of positions in a step, of encoder and decoder inputs.
  package var tokensPerStep: Int { microBatches * rows * (context + sourceContext) }
}
