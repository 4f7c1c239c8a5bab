/// A set of examples that each fill one row of a batch.
package protocol RowSet: Sendable {
  /// The number of examples.
  var count: Int { get }

  /// Prepares `batch`, which has the loader's shape, for rows of these examples.
  func begin(_ batch: inout Batch)

  /// Fills `row` of `batch` with example `index`, or with a row of weight 0 when `index` is nil.
  func fill(_ batch: inout Batch, row: Int, with index: Int?)
}

/// Batches of one example per row: a pure function of (seed, step, micro-batch).
///
///     example = (step · M + micro-batch) · sequences + row
///
/// in the order of `ExampleOrder`.
package struct RowLoader<Examples: RowSet>: BatchSource {
  private let set: Examples
  private let context: Int
  private let sequences: Int
  private let microBatches: Int
  private let order: ExampleOrder

  /// Creates a loader of `set`, whose examples have at most `context` tokens.
  package init(_ set: Examples, context: Int, sequences: Int, microBatches: Int, seed: UInt64) {
    precondition(
      sequences >= 1 && microBatches >= 1,
      "\(microBatches) micro-batches of \(sequences) sequences")
    self.set = set
    self.context = context
    self.sequences = sequences
    self.microBatches = microBatches
    order = ExampleOrder(count: set.count, seed: seed)
  }

  package func fill(_ batch: inout Batch, step: Int, microBatch: Int) {
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch,
      "micro-batch \(microBatch) of \(microBatches) in step \(step)")
    batch.requireShape(sequences: sequences, context: context)
    set.begin(&batch)
    let first = (step * microBatches + microBatch) * sequences
    for row in 0..<sequences { set.fill(&batch, row: row, with: order(first + row).index) }
  }

  package func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * sequences) / Double(set.count)
  }
}

/// Evaluation batches of one example per row: every example once, in order.
///
/// Surplus rows of the last batch have weight 0.
package struct RowEvaluationLoader<Examples: RowSet>: EvaluationSource {
  package let set: Examples
  private let context: Int
  private let sequences: Int

  /// Creates a loader of `set`, whose examples have at most `context` tokens.
  package init(_ set: Examples, context: Int, sequences: Int) {
    precondition(sequences >= 1, "batches of \(sequences) sequences")
    self.set = set
    self.context = context
    self.sequences = sequences
  }

  package var batchCount: Int { (self.set.count + sequences - 1) / sequences }

  /// Returns the indices in the set of the examples in batch `index`, which are its first rows.
  package func range(ofBatch index: Int) -> Range<Int> {
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    return index * sequences..<min(set.count, (index + 1) * sequences)
  }

  package func fill(_ batch: inout Batch, index: Int) {
    let range = range(ofBatch: index)
    batch.requireShape(sequences: sequences, context: context)
    set.begin(&batch)
    for row in 0..<sequences {
      set.fill(&batch, row: row, with: row < range.count ? range.lowerBound + row : nil)
    }
  }
}
