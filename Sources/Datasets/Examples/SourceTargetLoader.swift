/// Batches of sources and targets to fine-tune on: an example a row, a pure function of (seed, step,
/// micro-batch).
///
/// `ExampleOrder` says which example a row has.
public struct SourceTargetLoader: BatchSource {
  private let set: SourceTargetSet
  private let context: Int
  private let sequences: Int
  private let microBatches: Int
  private let order: ExampleOrder

  /// Loads from `set`, no source or target of which is longer than the context.
  public init(
    _ set: SourceTargetSet, context: Int, sequences: Int, microBatches: Int, seed: UInt64
  ) {
    precondition(
      sequences >= 1 && microBatches >= 1,
      "\(microBatches) micro-batches of \(sequences) sequences")
    self.set = set
    self.context = context
    self.sequences = sequences
    self.microBatches = microBatches
    order = ExampleOrder(count: set.examples.count, seed: seed)
  }

  /// Fills `batch` with micro-batch `microBatch` of step `step`, both from 0.
  public func fill(_ batch: inout Batch, step: Int, microBatch: Int) {
    batch.requireShape(sequences: sequences, context: context)
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch,
      "micro-batch \(microBatch) of \(microBatches) in step \(step)")
    batch.forgetExamples()
    let first = (step * microBatches + microBatch) * sequences
    for row in 0..<sequences { set.write(order(first + row).index, to: &batch, row: row) }
  }

  /// How many times every example was seen after `steps` steps.
  public func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * sequences) / Double(order.count)
  }
}

/// Evaluation batches of sources and targets: every example once, in order.
public struct SourceTargetEvaluationLoader: EvaluationSource {
  private let set: SourceTargetSet
  private let context: Int
  private let sequences: Int

  /// Evaluates `set`, no source or target of which is longer than the context.
  public init(_ set: SourceTargetSet, context: Int, sequences: Int) {
    precondition(
      context >= 1 && sequences >= 1, "batches of \(sequences) sequences of \(context) tokens")
    self.set = set
    self.context = context
    self.sequences = sequences
  }

  /// Batches that hold all examples.
  public var batchCount: Int { (set.examples.count + sequences - 1) / sequences }

  /// Fills `batch` with batch `index` of `batchCount`; rows that are too many weigh nothing.
  public func fill(_ batch: inout Batch, index: Int) {
    batch.requireShape(sequences: sequences, context: context)
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    batch.forgetExamples()
    let rows = min(sequences, set.examples.count - index * sequences)
    for row in 0..<sequences {
      set.write(index * sequences + min(row, rows - 1), to: &batch, row: row)
    }
    for place in rows * context..<batch.weights.count { batch.weights[place] = 0 }
  }
}
