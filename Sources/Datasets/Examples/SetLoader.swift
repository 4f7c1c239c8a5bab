/// A set of examples of different lengths, of which a loader makes batches.
package protocol BatchableSet: Sendable {
  /// The number of texts of an example, which a loader counts as sequences.
  static var textsPerExample: Int { get }

  /// The number of examples.
  var count: Int { get }

  /// Fills `batch` with the examples `indices`, in order, and with as little padding as possible.
  func fill(_ batch: inout Batch, with indices: [Int])
}

extension BatchableSet {
  package static var textsPerExample: Int { 1 }
}

/// Batches of an equal number of examples: a pure function of (seed, step, micro-batch).
///
/// With E examples in a micro-batch,
///
///     example = (step · M + micro-batch) · E + place
///
/// in the order of `ExampleOrder`.
package struct SetLoader<Examples: BatchableSet>: BatchSource {
  private let set: Examples
  private let examples: Int
  private let microBatches: Int
  private let order: ExampleOrder

  /// Creates a loader of `set` with `sequences` texts in a micro-batch.
  package init(_ set: Examples, sequences: Int, microBatches: Int, seed: UInt64) {
    precondition(
      sequences >= 1 && microBatches >= 1,
      "\(microBatches) micro-batches of \(sequences) sequences")
    self.set = set
    self.microBatches = microBatches
    examples = sequences / Examples.textsPerExample
    order = ExampleOrder(count: set.count, seed: seed)
  }

  package func fill(_ batch: inout Batch, step: Int, microBatch: Int) {
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch,
      "micro-batch \(microBatch) of \(microBatches) in step \(step)")
    set.fill(&batch, with: indices(step: step, microBatch: microBatch))
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

/// Evaluation batches of an equal number of examples, fewer in the last one: every example once, in
/// order.
package struct SetEvaluationLoader<Examples: BatchableSet>: EvaluationSource {
  package let set: Examples
  private let examples: Int

  /// Creates a loader of `set` with `sequences` texts in a batch.
  package init(_ set: Examples, sequences: Int) {
    precondition(sequences >= 1, "batches of \(sequences) sequences")
    self.set = set
    examples = sequences / Examples.textsPerExample
  }

  package var batchCount: Int { (self.set.count + examples - 1) / examples }

  /// Returns the indices in the set of the examples in batch `index`.
  package func range(ofBatch index: Int) -> Range<Int> {
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    return index * examples..<min(set.count, (index + 1) * examples)
  }

  package func fill(_ batch: inout Batch, index: Int) {
    set.fill(&batch, with: Array(range(ofBatch: index)))
  }
}
