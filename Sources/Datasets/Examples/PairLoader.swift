import Tokenizers

/// Batches of preference pairs: row 2i is a prompt with the chosen answer, row 2i + 1 the same prompt
/// with the rejected answer, both padded at their end.
///
/// A pure function of (seed, step, micro-batch), with `pair = (step · M + micro-batch) · pairs + i` in
/// the order of `ExampleOrder`. Targets in the answer, its end of turn included, have weight 1.
/// `Batch.lengths` has the number of tokens of each row, the last of which ends the answer, and
/// `Batch.margins` one number per pair.
package struct PairLoader: BatchSource {
  /// The number of tokens in a sequence.
  package let context: Int
  /// The number of pairs in a micro-batch, which has twice as many sequences.
  package let pairs: Int
  /// The number of micro-batches in a step, M.
  package let microBatches: Int
  private let set: PairSet
  private let order: ExampleOrder

  /// Creates a loader of `set`, whose sides have at most `context` tokens.
  package init(_ set: PairSet, context: Int, pairs: Int, microBatches: Int, seed: UInt64) {
    precondition(
      pairs >= 1 && microBatches >= 1, "\(microBatches) micro-batches of \(pairs) pairs")
    self.set = set
    self.context = context
    self.pairs = pairs
    self.microBatches = microBatches
    order = ExampleOrder(count: set.count, seed: seed)
  }

  package func fill(_ batch: inout Batch, step: Int, microBatch: Int) {
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch,
      "micro-batch \(microBatch) of \(microBatches) in step \(step)")
    batch.beginPairs(pairs, context: context)
    for (i, index) in indices(step: step, microBatch: microBatch).enumerated() {
      set.fill(&batch, pair: i, with: index)
    }
  }

  /// Returns the indices in the set of the pairs of micro-batch `microBatch` of step `step`.
  package func indices(step: Int, microBatch: Int) -> [Int] {
    let first = (step * microBatches + microBatch) * pairs
    return (first..<first + pairs).map { order($0).index }
  }

  package func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * pairs) / Double(set.count)
  }
}

/// Evaluation batches of preference pairs: every pair once, in order.
///
/// The last batch is completed with rows of padding, of weight 0 and length 1.
package struct PairEvaluationLoader: EvaluationSource {
  /// The number of tokens in a sequence.
  package let context: Int
  /// The number of pairs in a batch, which has twice as many sequences.
  package let pairs: Int
  private let set: PairSet

  /// Creates a loader of `set`, whose sides have at most `context` tokens.
  package init(_ set: PairSet, context: Int, pairs: Int) {
    precondition(pairs >= 1, "batches of \(pairs) pairs")
    self.set = set
    self.context = context
    self.pairs = pairs
  }

  package var batchCount: Int { (set.count + pairs - 1) / pairs }

  /// Returns the indices in the set of the pairs in batch `index`, which are its first rows, two a
  /// pair.
  package func range(ofBatch index: Int) -> Range<Int> {
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    return index * pairs..<min(set.count, (index + 1) * pairs)
  }

  package func fill(_ batch: inout Batch, index: Int) {
    let range = range(ofBatch: index)
    batch.beginPairs(pairs, context: context)
    for i in 0..<pairs {
      set.fill(&batch, pair: i, with: i < range.count ? range.lowerBound + i : nil)
    }
  }
}

extension Batch {
  /// Prepares the batch for `pairs` pairs.
  fileprivate mutating func beginPairs(_ pairs: Int, context: Int) {
    requireShape(sequences: 2 * pairs, context: context)
    beginRows()
    margins.append(contentsOf: repeatElement(0, count: pairs))
  }
}
