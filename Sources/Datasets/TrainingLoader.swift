/// Training batches: a pure function of (seed, step, micro-batch).
///
/// Neither rank nor world size nor any state appears here. Whoever asks for micro-batch m of step s
/// gets the same windows, on any number of machines, after any number of restarts; `TrainingWindows`
/// says which.
public struct TrainingLoader: Sendable {
  /// Which window of which corpus is in a row.
  public let windows: TrainingWindows
  /// Whether attention stays within a document.
  public let isolatesDocuments: Bool

  /// Loads from `tokens` in the order of `seed`; throws `DatasetError.corpusTooShort` when they do
  /// not fill one window.
  public init(
    tokens: TokenStream, context: Int, sequences: Int, microBatches: Int, seed: UInt64,
    replay: Replay? = nil, isolatesDocuments: Bool = false
  ) throws(DatasetError) {
    windows = try TrainingWindows(
      tokens: tokens, context: context, sequences: sequences, microBatches: microBatches,
      seed: seed, replay: replay)
    self.isolatesDocuments = isolatesDocuments
  }

  /// The tokens that are not replayed.
  public var tokens: TokenStream { windows.tokens }
  /// The order of their windows.
  public var order: WindowOrder { windows.order }
  /// Tokens in a sequence.
  public var context: Int { windows.context }

  /// Fills `batch` with micro-batch `microBatch` of step `step`, both from 0, without allocating.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  public func fill(_ batch: inout Batch, step: Int, microBatch: Int) throws(DatasetError) {
    batch.requireShape(sequences: windows.sequences, context: context)
    batch.forgetExamples()
    for row in 0..<windows.sequences {
      let (tokens, start) = windows(step: step, microBatch: microBatch, row: row)
      try tokens.copy(from: start, count: context, into: &batch.inputs, at: row * context)
      try tokens.copy(from: start + 1, count: context, into: &batch.targets, at: row * context)
    }
    for i in batch.weights.indices { batch.weights[i] = 1 }
    if isolatesDocuments { batch.isolateDocuments(endOfText: windows.tokens.endOfText) }
  }

  /// How many times the corpus was seen after `steps` steps.
  public func epochsSeen(_ steps: Int) -> Double { windows.epochsSeen(steps) }
}
