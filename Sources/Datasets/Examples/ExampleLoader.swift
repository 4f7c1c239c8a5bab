import Tokenizers

/// Batches for fine-tuning: examples packed into rows, without attention across examples.
///
/// A pure function of (seed, step, micro-batch), like `TrainingLoader`:
///
///     sample = (step · M + micro-batch) · sequences + row
///
/// `ExampleOrder` maps the sample to a row of the epoch, and `ExamplePacking` maps that row to its
/// examples. Each input has the example's next token as its target, with weight 1 where the loss mask
/// includes it; the unused places at the end of a row are an example of padding with weight 0.
/// `Batch.starts` has the start of each example.
package struct ExampleLoader: BatchSource {
  /// The number of tokens in a sequence.
  package let context: Int
  /// The number of sequences in a micro-batch.
  package let sequences: Int
  /// The number of micro-batches in a step, M.
  package let microBatches: Int
  private let examples: EncodedExamples
  private let padding: TokenID
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
    examples = set.examples
    padding = set.padding
    packing = ExamplePacking(
      lengths: (0..<examples.count).map(examples.length), context: context, seed: seed)
    order = ExampleOrder(count: packing.rowCount, seed: seed)
  }

  /// The number of rows that hold every example once.
  package var rowsPerEpoch: Int { packing.rowCount }

  package func fill(_ batch: inout Batch, step: Int, microBatch: Int) {
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch,
      "micro-batch \(microBatch) of \(microBatches) in step \(step)")
    batch.beginExamples(sequences: sequences, context: context)
    let first = (step * microBatches + microBatch) * sequences
    for row in 0..<sequences {
      let (index, epoch) = order(first + row)
      batch.fill(
        row: row, with: packing.examples(ofRow: index, epoch: epoch), of: examples,
        padding: padding)
    }
  }

  package func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * sequences) / Double(packing.rowCount)
  }
}

extension Batch {
  /// Begins a new filling with rows of several examples.
  mutating func beginExamples(sequences: Int, context: Int) {
    begin(sequences: sequences, context: context)
    starts.append(contentsOf: repeatElement(0, count: sequences * context))
  }

  /// Fills `row` with the examples `indices`, in order, and with padding.
  mutating func fill(
    row: Int, with indices: [Int], of examples: EncodedExamples, padding: TokenID
  ) {
    var position = 0
    func mark(from start: Int, to end: Int) {
      for i in row * context + start..<row * context + end { starts[i] = Int32(start) }
    }
    for index in indices {
      let end = examples.write(
        index, to: &self, row: row, at: position, lastIsInput: false, padding: padding)
      mark(from: position, to: end)
      position = end
    }
    pad(row: row, from: position, with: padding)
    mark(from: position, to: context)
  }
}
