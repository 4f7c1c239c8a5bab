// "The training step, the run, its checkpoints and their resumption. Knows no phase."

import Configuration
import DataParallel
import Foundation
import Layers
import Optimizers
import Tensors

/// The keys that every phase has.
///
/// The code that reads a key is its only declaration. A phase reads further keys of its own;
/// `TrainingPlan` is made from both.
package struct TrainingOptions: Sendable {
  /// The defaults of a phase.
  package struct Defaults: Sendable {
    package var steps = 1000
    package var microBatches = 4
    package var sequences = 8
    package var sequencesHelp = "sequences per micro-batch"
    package var learningRate = 1e-3
    package var weightDecay = 0.1
    /// The longest warm-up that a run has unless it is given.
    package var warmup = 100
    package var spike = 2.0

    package init() {}
  }

  /// Optimizers.
  package enum Rule: String, Sendable, CaseIterable {
    case adamw
    /// SGD with momentum and coupled weight decay.
    case sgd
  }

  /// The choice of the operand precision of matrix products.
  package enum PrecisionChoice: String, Sendable, CaseIterable {
    /// bf16 if the CPUs of all hosts compute faster in it than in fp32, else fp32.
    case auto
    /// 32-bit floats.
    case fp32
    /// bf16 operands, fp32 sums.
    case bf16
  }

  /// The run folder.
  package var run: String
  /// The seed of all random numbers.
  package var seed: Int
  /// Micro-batches per step.
  package var microBatches: Int
  /// Sequences per micro-batch.
  package var sequences: Int
  /// Micro-batches added in order per leaf of the summation tree.
  package var accumulation: Int
  /// Optimizer steps of the run; the default of the phase when `epochs` decides.
  package var steps: Int
  /// Epochs of the run, which decide the steps; nil when `steps` is given.
  package var epochs: Double?
  /// The optimizer.
  package var rule: Rule
  /// The peak learning rate.
  package var learningRate: Double
  /// The decay rates of AdamW's first and second moment.
  package var betas: [Double]
  /// The number that is added to AdamW's denominator.
  package var epsilon: Double
  /// The momentum of SGD.
  package var momentum: Double
  package var weightDecay: Double
  /// The maximum gradient norm; 0 disables clipping.
  package var clip: Double
  /// The shape of the learning-rate schedule.
  package var schedule: Schedule.Shape
  /// Steps of the linear warm-up; nil where `epochs` decides the steps, of which it is a fraction.
  package var warmup: Int?
  /// The longest warm-up that is not given.
  let longestWarmup: Int
  /// The learning rate at the end; a tenth of the peak unless it is given.
  package var finalRate: Double
  /// Steps of the final decay of `wsd`.
  package var decay: Int
  /// The operand precision of matrix products.
  package var precision: PrecisionChoice
  /// The reduction of gradients.
  package var reduction: GradientReduction
  /// The settings of DiLoCo; nil for ranks that agree on the weights after every step.
  package var diloco: DiLoCo?
  /// The activations that the backward pass recomputes.
  package var recomputation: Recomputation
  /// Steps between checkpoints; 0 saves only at the end.
  package var checkpointEvery: Int
  /// The number of newest checkpoints that are kept.
  package var keep: Int
  /// Checkpoints at multiples of this step are kept as well; nil for none.
  package var keepEvery: Int?
  /// True to keep the checkpoint of the best evaluation as well.
  package var keepBest: Bool
  /// Steps between evaluations; 0 evaluates only at the end.
  package var evaluateEvery: Int
  /// A loss above this multiple of the recent mean, three steps in a row, ends the run; 0 never
  /// does.
  package var spike: Double
  /// The answer to a loss spike.
  package var onSpike: SpikeOptions
  /// Evaluations in a row without a lower validation loss that end the run; nil never ends it.
  package var patience: Int?
  /// Seconds without a sign of life after which a rank that others wait for ends the run; 0 for
  /// never.
  package var watchdogLimit: Double
  /// Steps between plain progress lines.
  package var logEvery: Int
  package var energy: EnergyOptions
  package var audit: AuditOptions

  /// Reads every key; throws for values that are invalid by themselves or together.
  ///
  /// - Parameters:
  ///   - runOptions: The keys that are read before those of the phase.
  ///   - defaults: The defaults of the phase.
  package init(
    _ reader: inout ConfigurationReader, _ runOptions: RunOptions, defaults: Defaults = Defaults()
  ) throws(ConfigurationError) {
    run = runOptions.run
    seed = runOptions.seed
    microBatches = try reader.integer(
      "batch.microBatches", default: defaults.microBatches, in: 1...65536,
      help: "micro-batches per step, a power of two; with more threads, teams share a micro-batch")
    sequences = try reader.integer(
      "batch.sequences", default: defaults.sequences, in: 1...65536,
      help: defaults.sequencesHelp)
    accumulation = try reader.integer(
      "batch.accumulation", default: 1, in: 1...65536,
      help: "micro-batches whose gradients are added in order into one buffer; a power of two")
    epochs = try reader.optionalNumber(
      "epochs", in: Double.leastNonzeroMagnitude...,
      help: "passes over the training data, instead of steps; rounded up to whole steps")
    steps = try Self.steps(&reader, default: defaults.steps, isDecidedByEpochs: epochs != nil)
    rule = try reader.choice("optimizer.name", default: .adamw, help: "optimizer; sgd has momentum")
    learningRate = try reader.number(
      "optimizer.learningRate", default: defaults.learningRate, in: 0...,
      help: "peak learning rate")
    betas = try reader.numbers(
      "optimizer.betas", count: 2, default: [0.9, 0.99], in: 0..<1,
      help: "decay rates of AdamW's first and second moment")
    epsilon = try reader.number(
      "optimizer.epsilon", default: 1e-8, in: 1e-30..., help: "added to AdamW's denominator")
    momentum = try reader.number(
      "optimizer.momentum", default: 0.9, in: 0..<1, help: "momentum of SGD")
    weightDecay = try reader.number(
      "optimizer.weightDecay", default: defaults.weightDecay, in: 0...,
      help: "weight decay of matrices and embeddings; norms and biases do not decay")
    clip = try reader.number(
      "optimizer.clip", default: 1.0, in: 0..., help: "maximum gradient norm; 0 disables clipping")
    schedule = try reader.choice(
      "schedule.name", default: .cosine, help: "shape of the learning-rate schedule")
    longestWarmup = defaults.warmup
    warmup = try Self.warmup(
      &reader, longest: longestWarmup, steps: epochs == nil ? steps : nil)
    finalRate = try reader.number(
      "schedule.final", default: Self.tenth(of: learningRate), in: 0...,
      help: "learning rate at the end of the schedule; by default a tenth of the peak")
    decay = try reader.integer(
      "schedule.decay", default: 0, in: 0..., unit: "steps", help: "final decay of wsd")
    precision = try reader.choice(
      "precision", default: .auto,
      help: "operands of matrix products; auto: bf16 if it is faster than fp32 on the CPUs of all "
        + "hosts")
    reduction = try reader.choice(
      "reduction", default: .exact,
      help: "exact: the same bits for any number of ranks and threads; fast: gradients are sent in "
        + "bf16 and summed in fp32, and the bits depend on the numbers of ranks and threads")
    diloco = try DiLoCo.read(&reader)
    recomputation = try reader.choice(
      "recompute", default: .none,
      decidesBits: false,
      help: "layer: keeps only the input of each layer and recomputes its activations in the "
        + "backward pass; less memory, a third more time, the same bits")
    checkpointEvery = try reader.integer(
      "checkpoint.every", default: 200, in: 0..., unit: "steps",
      decidesBits: false, help: "interval between checkpoints; 0 saves only at the end")
    keep = try reader.integer(
      "checkpoint.keep", default: 2, in: 1...1_000_000_000, decidesBits: false,
      help: "number of newest checkpoints to keep")
    keepEvery = try reader.optionalInteger(
      "checkpoint.keepEvery", in: 1..., unit: "steps",
      decidesBits: false, help: "keeps checkpoints at multiples of this step as well")
    keepBest = try reader.boolean(
      "checkpoint.keepBest", default: true,
      decidesBits: false, help: "keeps the checkpoint of the best evaluation as well")
    evaluateEvery = try reader.integer(
      "evaluate.every", default: 250, in: 0..., unit: "steps",
      decidesBits: false, help: "interval between evaluations; 0 evaluates only at the end")
    patience = try reader.optionalInteger(
      "earlyStopping.patience", in: 1..., unit: "evaluations", decidesBits: false,
      help: "ends the run after so many evaluations in a row without a lower validation loss; the "
        + "checkpoint of the best one is kept")
    onSpike = try SpikeOptions(&reader)
    spike = try reader.number(
      "guard.spike", default: defaults.spike, in: 0...,
      decidesBits: onSpike.action == .rollback,
      help: "ends the run when the loss exceeds this multiple of its recent mean in three steps in "
        + "a row; 0 disables the check")
    watchdogLimit = try reader.number(
      "watchdog.limit", default: 30, in: 0...86400, unit: "seconds", decidesBits: false,
      help: "ends the run with exit code 75 when a rank that others wait for shows no sign of life "
        + "for so long, and gives a save up that writes no byte for so long; 0 never does")
    logEvery = try reader.integer(
      "log.every", default: 10, in: 1..., unit: "steps",
      decidesBits: false, help: "interval between progress lines when the output is not a terminal")
    energy = try EnergyOptions(&reader)
    audit = try AuditOptions(&reader)
    try refuseIdleKeys(reader)
    if diloco != nil, onSpike.action != .stop || onSpike.skipped.count > 0 {
      throw reader.rejection(
        of: onSpike.action == .stop ? "guard.skipped" : "guard.onSpike",
        because:
          "the workers of sync: diloco agree only once per round, and no single step of theirs "
          + "can be skipped; choose sync: exact, or leave the key out")
    }
    if audit.every > 0, diloco != nil {
      throw reader.rejection(
        of: "audit.every",
        because: "the workers of sync: diloco have different weights, so that none can compute "
          + "another's gradient; choose sync: exact, or leave audit.every out")
    }
    if audit.every > 0, reduction == .fast {
      throw reader.rejection(
        of: "audit.every",
        because:
          "reduction: fast adds the gradients of a worker in one buffer, so that none can be "
          + "compared alone; choose reduction: exact, or leave audit.every out")
    }
    if patience != nil, !keepBest {
      throw reader.rejection(
        of: "earlyStopping.patience",
        because: "checkpoint.keepBest is false, so the best checkpoint would be deleted; leave one "
          + "of the two keys out")
    }
    if patience != nil, evaluateEvery == 0 {
      throw reader.rejection(
        of: "earlyStopping.patience",
        because: "evaluate.every is 0, so the only evaluation is the last; set an interval")
    }
    for (key, value) in [("microBatches", microBatches), ("accumulation", accumulation)]
    where value & (value - 1) != 0 {
      let below = 1 << (Int.bitWidth - value.leadingZeroBitCount - 1)
      throw reader.rejection(
        of: "batch.\(key)",
        because: "\(value) is not a power of two, which the fixed summation order needs; choose "
          + "\(below) or \(2 * below)")
    }
    if accumulation > microBatches {
      throw reader.rejection(
        of: "batch.accumulation",
        because: "\(accumulation) is more than the \(microBatches) micro-batches of a step; choose "
          + "\(microBatches) or less")
    }
    try diloco?.requireWholeParts(
      of: microBatches / accumulation, steps: epochs == nil ? steps : nil, reader)
  }

  /// Returns a tenth of `rate` as a decimal number: 1e-6 for 1e-5, not the quotient of the doubles,
  /// 1.0000000000000002e-06.
  private static func tenth(of rate: Double) -> Double {
    Double(String(format: "%.15g", rate / 10)) ?? rate / 10
  }

  /// Reads `steps`, which `epochs` excludes.
  private static func steps(
    _ reader: inout ConfigurationReader, default value: Int, isDecidedByEpochs: Bool
  ) throws(ConfigurationError) -> Int {
    guard isDecidedByEpochs else {
      return try reader.integer(
        "steps", default: value, in: 1...1_000_000_000_000, help: "optimizer steps of the run")
    }
    if try reader.optionalInteger("steps", in: 1..., help: "decided by epochs") != nil {
      throw reader.rejection(
        of: "steps", because: "epochs decides the number of steps; leave one of the two keys out")
    }
    return value
  }

  /// Reads the warm-up, by default a fraction of `steps`; nil if it is absent and they are not known.
  private static func warmup(
    _ reader: inout ConfigurationReader, longest: Int, steps: Int?
  ) throws(ConfigurationError) -> Int? {
    let help =
      "linear warm-up of the learning rate; by default a tenth of the steps, at most \(longest)"
    guard let steps else {
      return try reader.optionalInteger("schedule.warmup", in: 0..., unit: "steps", help: help)
    }
    return try reader.integer(
      "schedule.warmup", default: warmup(longest: longest, steps: steps), in: 0..., unit: "steps",
      help: help)
  }

  /// Returns the warm-up of a run of `steps` steps that does not set it: a tenth of them, so that the
  /// rate decays in a short run too, at most `longest`.
  static func warmup(longest: Int, steps: Int) -> Int { min(longest, steps / 10) }

  /// Refuses keys that have no effect with `optimizer.name` and `schedule.name`, unless they have
  /// their default, as in a file with every key; and final learning rates above the peak.
  private func refuseIdleKeys(_ reader: ConfigurationReader) throws(ConfigurationError) {
    let (rule, shape) = (rule.rawValue, schedule.rawValue)
    for (key, name, isUsed) in [
      ("optimizer.betas", rule, self.rule == .adamw),
      ("optimizer.epsilon", rule, self.rule == .adamw),
      ("optimizer.momentum", rule, self.rule == .sgd),
      ("schedule.final", shape, schedule.reachesFinal),
      ("schedule.decay", shape, schedule == .wsd),
    ] where !isUsed && reader.isChanged(key) {
      throw reader.rejection(of: key, because: "it has no effect with \(name); leave it out")
    }
    if schedule.reachesFinal && finalRate > learningRate {
      throw reader.rejection(
        of: "schedule.final",
        because: "\(finalRate) is above optimizer.learningRate, \(learningRate), from which the "
          + "rate decays; choose \(learningRate) or less")
    }
    if schedule == .wsd && decay == 0 {
      throw reader.rejection(
        of: "schedule.decay",
        because: "wsd without a final decay stays at its peak; choose some of the \(steps) steps, "
          + "often a tenth, or schedule.name: constant")
    }
  }
}

extension TrainingOptions {
  /// The optimizer.
  package var optimizer: any Optimizer {
    switch rule {
    case .adamw:
      AdamW(
        betas: (Float(betas[0]), Float(betas[1])), epsilon: Float(epsilon),
        weightDecay: Float(weightDecay))
    case .sgd: SGD(momentum: Float(momentum), weightDecay: Float(weightDecay))
    }
  }
}

extension TrainingOptions.PrecisionChoice {
  /// The precision on this CPU.
  package var resolved: Precision { resolved(bf16IsFaster: MatrixLibrary.bf16IsFaster) }

  /// Returns the precision for CPUs that compute faster, or not, in bf16 than in fp32.
  package func resolved(bf16IsFaster: Bool) -> Precision {
    switch self {
    case .fp32: .fp32
    case .bf16: .bf16
    case .auto: bf16IsFaster ? .bf16 : .fp32
    }
  }
}
