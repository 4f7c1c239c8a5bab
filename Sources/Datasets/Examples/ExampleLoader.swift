/// Batches for fine-tuning: the examples of packed rows, without attention across examples.
///
/// A pure function of (seed, step, micro-batch), like `TrainingLoader`:
///
///     sample = (step · M + micro-batch) · sequences + row
///
/// `ExampleOrder` maps the sample to a row of the epoch, and `ExamplePacking` maps that row to its
/// examples, so that every batch has about as many tokens as its rows have places. Each input has the
/// example's next token as its target, with weight 1 where the loss mask includes it.
package struct ExampleLoader: BatchSource {
  /// The number of places in a row.
  package let context: Int
  /// The number of rows in a micro-batch.
  package let sequences: Int
  /// The number of micro-batches in a step, M.
  package let microBatches: Int
  private let set: ExampleSet
  private let packing: ExamplePacking
  private let order: ExampleOrder

  /// Creates a loader of `set`, whose examples have at most `context` + 1 tokens.
  ///
  /// Throws `DatasetError.invalidLossMask` when the loss mask cannot train a model that answers.
  package init(
    _ set: ExampleSet, context: Int, sequences: Int, microBatches: Int, seed: UInt64
  ) throws(DatasetError) {
    precondition(
      sequences >= 1 && microBatches >= 1,
      "\(microBatches) micro-batches of \(sequences) sequences")
    try set.checkLossMask()
    self.context = context
    self.sequences = sequences
    self.microBatches = microBatches
    self.set = set
    packing = ExamplePacking(
      lengths: (0..<set.examples.count).map(set.examples.length), context: context, seed: seed)
    order = ExampleOrder(count: packing.rowCount, seed: seed)
  }

  /// The number of rows that hold every example once.
  package var rowsPerEpoch: Int { packing.rowCount }

  package func fill(_ batch: inout Batch, step: Int, microBatch: Int) {
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch,
      "micro-batch \(microBatch) of \(microBatches) in step \(step)")
    let first = (step * microBatches + microBatch) * sequences
    let indices = (first..<first + sequences).flatMap { sample in
      let (row, epoch) = order(sample)
      return packing.examples(ofRow: row, epoch: epoch)
    }
    set.fill(&batch, with: indices)
  }

  package func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * sequences) / Double(packing.rowCount)
  }
}

extension ExampleSet {
  /// Fills `batch` with the examples `indices`, in order.
  ///
  /// An example of n tokens takes n − 1 positions: its first token is only an input, its last only a
  /// target.
  package func fill(_ batch: inout Batch, with indices: [Int]) {
    batch.begin(examples: indices.map { examples.length(of: $0) - 1 }, padding: padding)
    for (place, index) in zip(batch.examples, indices) {
      examples.write(index, to: &batch, at: place.lowerBound, lastIsInput: false)
    }
  }
}
