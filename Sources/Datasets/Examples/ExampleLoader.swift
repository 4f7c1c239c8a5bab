import Tokenizers

/// Batches to fine-tune on: examples packed into rows, with no attention from one to another.
///
/// A pure function of (seed, step, micro-batch), as `TrainingLoader` is:
///
///     sample = (step · M + micro-batch) · sequences + row
///
/// `ExampleOrder` says which row of the epoch that is, and `ExamplePacking` what stands in it. Each
/// input has the example's next token as its target, which weighs 1 where it is learned; the places
/// left at the end of a row are an example of their own that weighs nothing. `Batch.starts` says where
/// each begins.
public struct ExampleLoader: BatchSource {
  /// Tokens in a sequence.
  public let context: Int
  /// Sequences in a micro-batch.
  public let sequences: Int
  /// Micro-batches in a step, M.
  public let microBatches: Int
  private let examples: EncodedExamples
  private let padding: TokenID
  private let packing: ExamplePacking
  private let order: ExampleOrder

  /// Loads from `set`, none of whose examples is longer than the context and one more.
  ///
  /// Throws `DatasetError.uselessMask` when no model that answers can come of it.
  public init(
    _ set: ExampleSet, context: Int, sequences: Int, microBatches: Int, seed: UInt64
  ) throws(DatasetError) {
    precondition(
      sequences >= 1 && microBatches >= 1,
      "\(microBatches) micro-batches of \(sequences) sequences")
    try set.checkMask()
    self.context = context
    self.sequences = sequences
    self.microBatches = microBatches
    examples = set.examples
    padding = set.padding
    packing = ExamplePacking(
      lengths: (0..<examples.count).map(examples.length), context: context, seed: seed)
    order = ExampleOrder(count: packing.rowCount, seed: seed)
  }

  /// Rows that all examples fill once.
  public var rowsPerEpoch: Int { packing.rowCount }

  /// Fills `batch` with micro-batch `microBatch` of step `step`, both from 0.
  public func fill(_ batch: inout Batch, step: Int, microBatch: Int) {
    batch.requireShape(sequences: sequences, context: context)
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch,
      "micro-batch \(microBatch) of \(microBatches) in step \(step)")
    batch.beginExamples()
    let first = (step * microBatches + microBatch) * sequences
    for row in 0..<sequences {
      let (index, epoch) = order(first + row)
      batch.fill(
        row: row, with: packing.examples(ofRow: index, epoch: epoch), of: examples,
        padding: padding)
    }
  }

  /// How many times every example was seen after `steps` steps.
  public func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * sequences) / Double(packing.rowCount)
  }
}

extension Batch {
  /// Makes ready for rows of several examples.
  mutating func beginExamples() {
    forgetExamples()
    starts.append(contentsOf: repeatElement(0, count: sequences * context))
  }

  /// Fills `row` with examples `indices`, one behind another, and with padding.
  mutating func fill(
    row: Int, with indices: [Int], of examples: EncodedExamples, padding: TokenID
  ) {
    var position = 0
    func mark(from start: Int, to end: Int) {
      for i in row * context + start..<row * context + end { starts[i] = Int32(start) }
    }
    for index in indices {
      let end = examples.write(
        index, to: &self, row: row, at: position, readsEnd: false, padding: padding)
      mark(from: position, to: end)
      position = end
    }
    pad(row: row, from: position, with: padding)
    mark(from: position, to: context)
  }
}
