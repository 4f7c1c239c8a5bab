/// Examples that each fill a row of a batch.
public protocol RowSet: Sendable {
  /// How many examples there are.
  var count: Int { get }

  /// Makes `batch`, which has its shape, ready for rows of these examples.
  func begin(_ batch: inout Batch)

  /// Fills `row` of `batch` with example `index`, or with what weighs nothing when it is nil.
  func fill(_ batch: inout Batch, row: Int, with index: Int?)
}

/// Batches of one example a row: a pure function of (seed, step, micro-batch).
///
///     example = (step · M + micro-batch) · sequences + row
///
/// in the order of `ExampleOrder`.
public struct RowLoader<Examples: RowSet>: BatchSource {
  private let set: Examples
  private let context: Int
  private let sequences: Int
  private let microBatches: Int
  private let order: ExampleOrder

  /// Loads from `set`, none of whose examples is longer than the context.
  public init(_ set: Examples, context: Int, sequences: Int, microBatches: Int, seed: UInt64) {
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
    set.begin(&batch)
    let first = (step * microBatches + microBatch) * sequences
    for row in 0..<sequences { set.fill(&batch, row: row, with: order(first + row).index) }
  }

  /// How many times every example was seen after `steps` steps.
  public func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * sequences) / Double(set.count)
  }
}

/// Evaluation batches of one example a row: every example once, in order.
///
/// Rows of the last batch that are too many weigh nothing.
public struct RowEvaluationLoader<Examples: RowSet>: EvaluationSource {
  /// What is evaluated.
  public let set: Examples
  private let context: Int
  private let sequences: Int

  /// Evaluates `set`, none of whose examples is longer than the context.
  public init(_ set: Examples, context: Int, sequences: Int) {
    precondition(sequences >= 1, "batches of \(sequences) sequences")
    self.set = set
    self.context = context
    self.sequences = sequences
  }

  /// Batches that hold all examples.
  public var batchCount: Int { (self.set.count + sequences - 1) / sequences }

  /// The examples in batch `index`, by their number in the set: its first rows.
  public func range(ofBatch index: Int) -> Range<Int> {
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    return index * sequences..<min(set.count, (index + 1) * sequences)
  }

  /// Fills `batch` with batch `index` of `batchCount`.
  public func fill(_ batch: inout Batch, index: Int) {
    let range = range(ofBatch: index)
    batch.requireShape(sequences: sequences, context: context)
    set.begin(&batch)
    for row in 0..<sequences {
      set.fill(&batch, row: row, with: row < range.count ? range.lowerBound + row : nil)
    }
  }
}
