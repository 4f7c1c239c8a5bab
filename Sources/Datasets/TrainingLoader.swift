/// Training batches: a pure function of (seed, step, micro-batch).
///
/// Neither rank nor world size nor any state appears here. Whoever asks for micro-batch m of step s
/// gets the same windows, on any number of machines, after any number of restarts:
///
///     sample = (step · M + micro-batch) · sequences + row
///
/// and `WindowOrder` says which window that is.
public struct TrainingLoader: Sendable {
  /// The tokens that windows are cut from.
  public let tokens: TokenStream
  /// Which window comes when.
  public let order: WindowOrder
  /// Tokens in a sequence.
  public let context: Int
  /// Sequences in a micro-batch.
  public let sequences: Int
  /// Micro-batches in a step, M.
  public let microBatches: Int

  /// Whether attention stays within a document.
  public let isolatesDocuments: Bool

  /// Loads from `tokens` in the order of `seed`; throws `DatasetError.corpusTooShort` when they do
  /// not fill one window.
  public init(
    tokens: TokenStream, context: Int, sequences: Int, microBatches: Int, seed: UInt64,
    isolatesDocuments: Bool = false
  ) throws(DatasetError) {
    precondition(
      sequences >= 1 && microBatches >= 1,
      "\(microBatches) micro-batches of \(sequences) sequences")
    order = try WindowOrder(tokenCount: tokens.count, context: context, seed: seed)
    self.tokens = tokens
    self.context = context
    self.sequences = sequences
    self.microBatches = microBatches
    self.isolatesDocuments = isolatesDocuments
  }

  /// Fills `batch` with micro-batch `microBatch` of step `step`, both from 0, without allocating.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  public func fill(_ batch: inout Batch, step: Int, microBatch: Int) throws(DatasetError) {
    batch.requireShape(sequences: sequences, context: context)
    batch.forgetExamples()
    for row in 0..<sequences {
      let start = start(step: step, microBatch: microBatch, row: row)
      try tokens.copy(from: start, count: context, into: &batch.inputs, at: row * context)
      try tokens.copy(from: start + 1, count: context, into: &batch.targets, at: row * context)
    }
    for i in batch.weights.indices { batch.weights[i] = 1 }
    if isolatesDocuments { batch.isolateDocuments(endOfText: tokens.endOfText) }
  }

  /// The first token of the window in `row` of micro-batch `microBatch` of step `step`, all from 0.
  func start(step: Int, microBatch: Int, row: Int) -> Int {
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch,
      "micro-batch \(microBatch) of \(microBatches) in step \(step)")
    return order.start(ofSample: (step * microBatches + microBatch) * sequences + row)
  }

  /// How many times the corpus was seen after `steps` steps.
  public func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * sequences) / Double(order.windowsPerEpoch)
  }
}
