import Tokenizers

/// Training batches of a causal language model: a pure function of (seed, step, micro-batch).
///
/// It depends on neither rank nor world size and keeps no state: micro-batch m of step s has the same
/// windows on any number of machines and after any number of restarts. `TrainingWindows` selects them.
package struct TrainingLoader: BatchSource {
  /// The window of every row.
  package let windows: TrainingWindows
  /// True when attention stays within a document.
  package let isolatesDocuments: Bool
  /// The input from which the first token of a document is predicted; the end-of-text when nil.
  private let beginning: TokenID?

  /// Creates a loader of `tokens` in the order of `seed`; throws `DatasetError.corpusTooShort` when
  /// they do not fill one window.
  package init(
    tokens: TokenStream, context: Int, sequences: Int, microBatches: Int, seed: UInt64,
    replay: Replay? = nil, isolatesDocuments: Bool = false, beginning: TokenID? = nil
  ) throws(DatasetError) {
    windows = try TrainingWindows(
      tokens: tokens, context: context, sequences: sequences, microBatches: microBatches,
      seed: seed, replay: replay)
    self.isolatesDocuments = isolatesDocuments
    self.beginning = beginning
  }

  /// The tokens of the main corpus, without the replayed corpus.
  package var tokens: TokenStream { windows.tokens }
  /// The order of the main corpus's windows.
  package var order: WindowOrder { windows.order }
  /// The number of tokens in a sequence.
  package var context: Int { windows.context }

  /// Fills `batch` with micro-batch `microBatch` of step `step`, both counted from 0, without
  /// allocating.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  package func fill(_ batch: inout Batch, step: Int, microBatch: Int) throws(DatasetError) {
    batch.begin(sequences: windows.sequences, context: context)
    for row in 0..<windows.sequences {
      let (tokens, start) = windows(step: step, microBatch: microBatch, row: row)
      try tokens.copy(from: start, count: context, into: &batch.inputs, at: row * context)
      try tokens.copy(from: start + 1, count: context, into: &batch.targets, at: row * context)
    }
    for i in batch.weights.indices { batch.weights[i] = 1 }
    if isolatesDocuments { batch.isolateDocuments(endOfText: tokens.endOfText) }
    batch.beginDocuments(with: beginning, after: tokens.endOfText)
  }

  /// Returns the number of epochs of the main corpus, with its fraction, that `steps` steps consume.
  package func epochsSeen(_ steps: Int) -> Double { windows.epochsSeen(steps) }
}
