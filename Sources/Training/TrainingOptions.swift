// "The river."

import Configuration
import DataParallel
import Layers
import Optimizers

/// What the user typed about a run of any phase, key by key: this is the only declaration of a key.
///
/// A phase has keys of its own beside them, such as `PretrainingOptions`; `TrainingPlan` is what the
/// program makes of both.
public struct TrainingOptions: Sendable {
  /// What a phase does unless told otherwise.
  public struct Defaults: Sendable {
    var steps = 1000
    var microBatches = 4
    var sequences = 8
    var sequencesHelp = "sequences in a micro-batch"
    var learningRate = 1e-3
    var finalRate = 1e-4
    var weightDecay = 0.1
    var warmup = 100
    var spike = 2.0

    /// Those of pretraining.
    public init() {}
  }

  /// Update rules.
  public enum Rule: String, Sendable, CaseIterable {
    /// AdamW.
    case adamw
    /// SGD with momentum.
    case sgd
  }

  /// Arithmetic of the products.
  public enum PrecisionChoice: String, Sendable, CaseIterable {
    /// bf16 where every host's CPU is quicker with it than with fp32.
    case auto
    /// 32-bit floats.
    case fp32
    /// bf16 operands, fp32 sums.
    case bf16
  }

  /// The run folder.
  public var run: String
  /// Seed of everything random.
  public var seed: Int
  /// Micro-batches in a step.
  public var microBatches: Int
  /// Sequences in a micro-batch.
  public var sequences: Int
  /// Micro-batches added in order per leaf of the summation tree.
  public var accumulation: Int
  /// Optimizer steps.
  public var steps: Int
  /// The update rule.
  public var rule: Rule
  /// Highest learning rate.
  public var learningRate: Double
  /// AdamW's memories.
  public var betas: [Double]
  /// AdamW's epsilon.
  public var epsilon: Double
  /// SGD's memory.
  public var momentum: Double
  /// Weight decay.
  public var weightDecay: Double
  /// Largest gradient norm; 0 does not clip.
  public var clip: Double
  /// The learning rate's shape.
  public var schedule: Schedule.Shape
  /// Steps of linear rise.
  public var warmup: Int
  /// Final learning rate.
  public var finalRate: Double
  /// Steps of the final descent of `wsd`.
  public var decay: Int
  /// Arithmetic of the products.
  public var precision: PrecisionChoice
  /// How gradients are added.
  public var reduction: GradientReduction
  /// What the backward pass computes once more.
  public var recomputation: Recomputation
  /// Steps between checkpoints; 0 saves only at the end.
  public var checkpointEvery: Int
  /// Newest checkpoints that stay.
  public var keep: Int
  /// Checkpoints at multiples of this stay as well; nil for none.
  public var keepEvery: Int?
  /// Whether the checkpoint of the best evaluation stays as well.
  public var keepBest: Bool
  /// Steps between evaluations; 0 evaluates only at the end.
  public var evaluateEvery: Int
  /// A loss above this multiple of the recent mean, three steps in a row, ends the run; 0 never.
  public var spike: Double
  /// Steps between plain progress lines.
  public var logEvery: Int

  /// Reads every key; refuses what the keys themselves cannot mean.
  ///
  /// - Parameters:
  ///   - place: What was read before the phase's own keys.
  ///   - defaults: What a phase does unless told otherwise.
  public init(
    _ reader: inout ConfigurationReader, at place: RunPlace, defaults: Defaults = Defaults()
  ) throws(ConfigurationError) {
    run = place.run
    seed = place.seed
    microBatches = try reader.integer(
      "batch.microBatches", default: defaults.microBatches, in: 1...65536,
      help: "micro-batches in a step, a power of two; threads beyond them work in teams")
    sequences = try reader.integer(
      "batch.sequences", default: defaults.sequences, in: 1...65536,
      help: defaults.sequencesHelp)
    accumulation = try reader.integer(
      "batch.accumulation", default: 1, in: 1...65536,
      help: "micro-batches added in order into one gradient buffer; a power of two")
    steps = try reader.integer(
      "steps", default: defaults.steps, in: 1..., help: "optimizer steps of the run")
    rule = try reader.choice("optimizer.name", default: .adamw, help: "update rule")
    learningRate = try reader.number(
      "optimizer.learningRate", default: defaults.learningRate, in: 0...,
      help: "highest learning rate")
    betas = try reader.numbers(
      "optimizer.betas", count: 2, default: [0.9, 0.99], in: 0..<1,
      help: "memory of AdamW's first and second moment")
    epsilon = try reader.number(
      "optimizer.epsilon", default: 1e-8, in: 1e-30..., help: "added to AdamW's denominator")
    momentum = try reader.number(
      "optimizer.momentum", default: 0.9, in: 0..<1, help: "memory of SGD")
    weightDecay = try reader.number(
      "optimizer.weightDecay", default: defaults.weightDecay, in: 0...,
      help: "decay of matrices and embeddings; norms and biases do not decay")
    clip = try reader.number(
      "optimizer.clip", default: 1.0, in: 0..., help: "largest gradient norm; 0 does not clip")
    schedule = try reader.choice("schedule.name", default: .cosine, help: "learning rate's shape")
    warmup = try reader.integer(
      "schedule.warmup", default: defaults.warmup, in: 0..., unit: "steps",
      help: "linear rise at the start")
    finalRate = try reader.number(
      "schedule.final", default: min(defaults.finalRate, learningRate), in: 0...,
      help: "learning rate at the end")
    decay = try reader.integer(
      "schedule.decay", default: 0, in: 0..., unit: "steps", help: "final descent of wsd")
    precision = try reader.choice(
      "precision", default: .auto,
      help: "operands of the products; auto: bf16 where every host's CPU is quicker with it")
    reduction = try reader.choice(
      "reduction", default: .exact,
      help: "exact: the same bits for any ranks and threads; fast: gradients travel in bf16, are "
        + "summed in fp32, and the bits depend on the ranks and threads")
    recomputation = try reader.choice(
      "recompute", default: .none,
      help: "layer: keep a layer's input alone and compute the rest again for the backward pass; "
        + "less memory, a third more time, the same bits")
    checkpointEvery = try reader.integer(
      "checkpoint.every", default: 200, in: 0..., unit: "steps",
      help: "between checkpoints; 0 saves only at the end")
    keep = try reader.integer(
      "checkpoint.keep", default: 2, in: 1..., help: "newest checkpoints that stay")
    keepEvery = try reader.optionalInteger(
      "checkpoint.keepEvery", in: 1..., unit: "steps",
      help: "checkpoints at multiples of this stay as well")
    keepBest = try reader.boolean(
      "checkpoint.keepBest", default: true,
      help: "the checkpoint of the best evaluation stays as well")
    evaluateEvery = try reader.integer(
      "evaluate.every", default: 250, in: 0..., unit: "steps",
      help: "between evaluations; 0 evaluates only at the end")
    spike = try reader.number(
      "guard.spike", default: defaults.spike, in: 0...,
      help: "a loss above this multiple of the recent mean three steps in a row ends the run; "
        + "0 never")
    logEvery = try reader.integer(
      "log.every", default: 10, in: 1..., unit: "steps",
      help: "between progress lines when the output is not a terminal")
    try refuseIdleKeys(reader)
    for (key, value) in [("microBatches", microBatches), ("accumulation", accumulation)]
    where value & (value - 1) != 0 {
      let below = 1 << (Int.bitWidth - value.leadingZeroBitCount - 1)
      throw reader.rejection(
        of: "batch.\(key)",
        because: "\(value) is not a power of two, which the fixed order of summation needs; choose "
          + "\(below) or \(2 * below)")
    }
    if accumulation > microBatches {
      throw reader.rejection(
        of: "batch.accumulation",
        because: "\(accumulation) is more than the \(microBatches) micro-batches of a step; choose "
          + "\(microBatches) or less")
    }
  }

  /// Refuses what `optimizer.name` and `schedule.name` make of no effect, unless it is the default,
  /// as in a file with every key; and rates that do not descend to the final one.
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
          + "rate descends; choose \(learningRate) or less")
    }
    if schedule == .wsd && decay == 0 {
      throw reader.rejection(
        of: "schedule.decay",
        because: "wsd without a descent stays at its peak; choose some of the \(steps) steps, "
          + "often a tenth, or schedule.name: constant")
    }
  }
}
