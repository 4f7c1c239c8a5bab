import RandomNumbers
import Tokenizers

/// Training batches of span corruption: a pure function of (seed, step, micro-batch).
///
/// A row is a window of the stream, of the length that fills a source; windows come in the order of
/// `WindowOrder`, and their spans are sampled again at every visit.
package struct SpanCorruptionLoader: BatchSource {
  private let windows: TrainingWindows
  private let corruption: SpanCorruption
  private let sizes: SpanCorruption.Sizes
  private let seed: UInt64
  /// The number of tokens in a source.
  private let context: Int

  /// Creates a loader of `tokens` in the order of `seed`; throws `DatasetError.corpusTooShort` when
  /// they do not fill one row.
  ///
  /// - Parameter context: The number of tokens in a source; a batch has the context
  ///   `sizes(ofSource:).target`.
  package init(
    tokens: TokenStream, corruption: SpanCorruption, context: Int, sequences: Int,
    microBatches: Int, seed: UInt64, replay: Replay? = nil
  ) throws(DatasetError) {
    sizes = corruption.sizes(ofSource: context)
    corruption.requireSentinels(for: sizes)
    windows = try TrainingWindows(
      tokens: tokens, context: sizes.tokens, sequences: sequences, microBatches: microBatches,
      seed: seed, replay: replay)
    self.corruption = corruption
    self.seed = seed
    self.context = context
  }

  /// Fills `batch` with micro-batch `microBatch` of step `step`, both counted from 0.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  package func fill(_ batch: inout Batch, step: Int, microBatch: Int) throws(DatasetError) {
    batch.begin(sequences: windows.sequences, context: sizes.target)
    for row in 0..<windows.sequences {
      let (tokens, start) = windows(step: step, microBatch: microBatch, row: row)
      corruption.write(
        try tokens.ids(in: start..<start + sizes.tokens), sizes, sourceContext: context,
        to: &batch, row: row,
        drawing: RandomStream(seed: seed, purpose: .corruption, step, microBatch, row))
    }
  }

  /// Returns the number of epochs of the main corpus, with its fraction, that `steps` steps consume.
  package func epochsSeen(_ steps: Int) -> Double { windows.epochsSeen(steps) }
}

/// Evaluation batches of span corruption: the windows of the stream in order, with the same spans in
/// every evaluation.
///
/// Tokens at the end of the stream that do not fill a row are left out.
package struct SpanCorruptionEvaluationLoader: EvaluationSource {
  private let tokens: TokenStream
  private let corruption: SpanCorruption
  private let sizes: SpanCorruption.Sizes
  private let context: Int
  private let windows: EvaluationWindows

  /// Creates a loader of `tokens` or, with `tokenLimit`, of about that many, in whole batches spaced
  /// evenly over the stream.
  ///
  /// Throws `DatasetError.corpusTooShort` when the tokens do not fill one row.
  package init(
    tokens: TokenStream, corruption: SpanCorruption, context: Int, sequences: Int,
    tokenLimit: Int? = nil
  ) throws(DatasetError) {
    sizes = corruption.sizes(ofSource: context)
    corruption.requireSentinels(for: sizes)
    try WindowOrder.requireWindow(
      tokenCount: tokens.count, context: sizes.tokens, use: .validation)
    self.tokens = tokens
    self.corruption = corruption
    self.context = context
    windows = EvaluationWindows(
      count: tokens.count / sizes.tokens, length: sizes.tokens, sequences: sequences,
      tokenLimit: tokenLimit)
  }

  package var batchCount: Int { windows.batchCount }

  /// Fills `batch` with batch `index` of `batchCount`.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  package func fill(_ batch: inout Batch, index: Int) throws(DatasetError) {
    let range = windows(batch: index)
    batch.begin(sequences: range.count, context: sizes.target)
    for (row, window) in range.enumerated() {
      let start = window * sizes.tokens
      // A fixed seed, independent of the run's, so that all runs are evaluated on the same targets.
      corruption.write(
        try tokens.ids(in: start..<start + sizes.tokens), sizes, sourceContext: context, to: &batch,
        row: row, drawing: RandomStream(seed: 0, purpose: .corruption, window))
    }
  }
}

extension SpanCorruption {
  /// Checks, as a precondition, that every span has a sentinel.
  func requireSentinels(for sizes: Sizes) {
    precondition(
      sizes.spans <= sentinels.count, "\(sizes.spans) spans and \(sentinels.count) sentinels")
  }
}
