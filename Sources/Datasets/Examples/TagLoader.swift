/// Batches of words with tags: one text a row, a pure function of (seed, step, micro-batch).
///
/// `text = (step · M + micro-batch) · sequences + row` in the order of `ExampleOrder`.
public struct TagLoader: BatchSource {
  private let set: TagSet
  private let context: Int
  private let sequences: Int
  private let microBatches: Int
  private let order: ExampleOrder

  /// Loads from `set`, none of whose texts is longer than the context.
  public init(_ set: TagSet, context: Int, sequences: Int, microBatches: Int, seed: UInt64) {
    precondition(
      sequences >= 1 && microBatches >= 1,
      "\(microBatches) micro-batches of \(sequences) sequences")
    self.set = set
    self.context = context
    self.sequences = sequences
    self.microBatches = microBatches
    order = ExampleOrder(count: set.count, seed: seed)
  }

  /// Fills `batch` with micro-batch `microBatch` of step `step`, both from 0.
  public func fill(_ batch: inout Batch, step: Int, microBatch: Int) {
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch,
      "micro-batch \(microBatch) of \(microBatches) in step \(step)")
    batch.requireShape(sequences: sequences, context: context)
    batch.forgetExamples()
    let first = (step * microBatches + microBatch) * sequences
    for row in 0..<sequences { set.fill(&batch, row: row, with: order(first + row).index) }
  }

  /// How many times every text was seen after `steps` steps.
  public func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * sequences) / Double(set.count)
  }
}

/// Evaluation batches of words with tags: every text once, in order; rows that are too many are padding.
public struct TagEvaluationLoader: EvaluationSource {
  private let set: TagSet
  private let context: Int
  private let sequences: Int

  /// Evaluates `set`, none of whose texts is longer than the context.
  public init(_ set: TagSet, context: Int, sequences: Int) {
    precondition(sequences >= 1, "batches of \(sequences) sequences")
    self.set = set
    self.context = context
    self.sequences = sequences
  }

  /// The names of the classes.
  public var classes: [String] { self.set.classes }

  /// Batches that hold all texts.
  public var batchCount: Int { (set.count + sequences - 1) / sequences }

  /// Fills `batch` with batch `index` of `batchCount`.
  public func fill(_ batch: inout Batch, index: Int) {
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    batch.requireShape(sequences: sequences, context: context)
    batch.forgetExamples()
    for row in 0..<sequences {
      let text = index * sequences + row
      set.fill(&batch, row: row, with: text < set.count ? text : nil)
    }
  }
}
