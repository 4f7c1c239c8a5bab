/// A set of examples that each fill the same number of rows of a batch.
package protocol RowSet: Sendable {
  /// The number of rows of an example.
  static var rowsPerExample: Int { get }

  /// The number of examples.
  var count: Int { get }

  /// Prepares `batch`, which has the loader's shape, for rows of these examples.
  func begin(_ batch: inout Batch)

  /// Fills the rows of `batch` from `row` on with example `index`, or with rows of weight 0 when
  /// `index` is nil.
  func fill(_ batch: inout Batch, row: Int, with index: Int?)
}

extension RowSet {
  package static var rowsPerExample: Int { 1 }

  package func begin(_ batch: inout Batch) {}
}

/// Batches of examples that each fill the same number of rows: a pure function of (seed, step,
/// micro-batch). With E examples in a micro-batch,
///
///     example = (step · M + micro-batch) · E + place
///
/// in the order of `ExampleOrder`.
package struct RowLoader<Examples: RowSet>: BatchSource {
  private let set: Examples
  private let context: Int
  private let examples: Int
  private let microBatches: Int
  private let order: ExampleOrder

  /// Creates a loader of `set`, whose examples have at most `context` tokens in a row.
  package init(_ set: Examples, context: Int, sequences: Int, microBatches: Int, seed: UInt64) {
    precondition(
      sequences >= 1 && microBatches >= 1,
      "\(microBatches) micro-batches of \(sequences) sequences")
    self.set = set
    self.context = context
    self.microBatches = microBatches
    examples = sequences / Examples.rowsPerExample
    order = ExampleOrder(count: set.count, seed: seed)
  }

  package func fill(_ batch: inout Batch, step: Int, microBatch: Int) {
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch,
      "micro-batch \(microBatch) of \(microBatches) in step \(step)")
    set.fill(&batch, with: indices(step: step, microBatch: microBatch), context: context)
  }

  /// Returns the indices in the set of the examples of micro-batch `microBatch` of step `step`.
  package func indices(step: Int, microBatch: Int) -> [Int] {
    let first = (step * microBatches + microBatch) * examples
    return (first..<first + examples).map { order($0).index }
  }

  package func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * examples) / Double(set.count)
  }
}

/// Evaluation batches of examples that each fill the same number of rows: every example once, in
/// order.
///
/// Surplus rows of the last batch have weight 0.
package struct RowEvaluationLoader<Examples: RowSet>: EvaluationSource {
  package let set: Examples
  private let context: Int
  private let examples: Int

  /// Creates a loader of `set`, whose examples have at most `context` tokens in a row.
  package init(_ set: Examples, context: Int, sequences: Int) {
    precondition(sequences >= 1, "batches of \(sequences) sequences")
    self.set = set
    self.context = context
    examples = sequences / Examples.rowsPerExample
  }

  package var batchCount: Int { (self.set.count + examples - 1) / examples }

  /// Returns the indices in the set of the examples in batch `index`, which are in its first rows.
  package func range(ofBatch index: Int) -> Range<Int> {
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    return index * examples..<min(set.count, (index + 1) * examples)
  }

  package func fill(_ batch: inout Batch, index: Int) {
    let range = range(ofBatch: index)
    let surplus = [Int?](repeating: nil, count: examples - range.count)
    set.fill(&batch, with: range.map { $0 } + surplus, context: context)
  }
}

extension RowSet {
  fileprivate func fill(_ batch: inout Batch, with indices: [Int?], context: Int) {
    batch.begin(sequences: indices.count * Self.rowsPerExample, context: context)
    begin(&batch)
    for (place, index) in indices.enumerated() {
      fill(&batch, row: place * Self.rowsPerExample, with: index)
    }
  }
}
