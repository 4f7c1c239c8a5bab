/// A source of training batches: a pure function of (step, micro-batch).
///
/// It depends on neither rank nor world size and keeps no state between calls: micro-batch m of step
/// s is the same batch on any number of machines and after any number of restarts.
package protocol BatchSource: Sendable {
  /// Fills `batch`, which has the source's shape, with micro-batch `microBatch` of step `step`, both
  /// counted from 0.
  func fill(_ batch: inout Batch, step: Int, microBatch: Int) throws

  /// Returns the number of epochs, with its fraction, that `steps` steps consume.
  func epochsSeen(_ steps: Int) -> Double
}

/// A source of evaluation batches in a fixed order; a batch depends only on its index, not on rank or
/// world size.
package protocol EvaluationSource: Sendable {
  /// The number of batches to evaluate.
  var batchCount: Int { get }

  /// Fills `batch`, which has the source's shape, with batch `index` of `batchCount`.
  func fill(_ batch: inout Batch, index: Int) throws
}
