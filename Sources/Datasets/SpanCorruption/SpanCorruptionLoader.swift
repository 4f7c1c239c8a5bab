import RandomNumbers
import Tokenizers

/// Training batches of corrupted spans: a pure function of (seed, step, micro-batch).
///
/// A row is a window of the stream, as long as fills a source; windows come in the order of
/// `WindowOrder`, and its spans are drawn anew every time that one comes.
public struct SpanCorruptionLoader: BatchSource {
  private let windows: TrainingWindows
  private let corruption: SpanCorruption
  private let sizes: SpanCorruption.Sizes
  private let seed: UInt64
  /// Tokens in a source.
  private let context: Int

  /// Loads from `tokens` in the order of `seed`; throws `DatasetError.corpusTooShort` when they do not
  /// fill one row.
  ///
  /// - Parameter context: Tokens in a source; a batch has the context `sizes(ofSource:).target`.
  public init(
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

  /// Fills `batch` with micro-batch `microBatch` of step `step`, both from 0.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  public func fill(_ batch: inout Batch, step: Int, microBatch: Int) throws(DatasetError) {
    batch.requireShape(sequences: windows.sequences, context: sizes.target)
    batch.forgetExamples()
    for row in 0..<windows.sequences {
      let (tokens, start) = windows(step: step, microBatch: microBatch, row: row)
      corruption.write(
        try tokens.ids(in: start..<start + sizes.tokens), sizes, sources: context,
        to: &batch, row: row,
        drawing: RandomStream(seed: seed, purpose: .corruption, step, microBatch, row))
    }
  }

  /// How many times the corpus was seen after `steps` steps.
  public func epochsSeen(_ steps: Int) -> Double { windows.epochsSeen(steps) }
}

/// Evaluation batches of corrupted spans: the windows of the stream in order, corrupted the same every
/// time.
///
/// Tokens at the end of the stream that do not fill a row are left out.
public struct SpanCorruptionEvaluationLoader: EvaluationSource {
  private let tokens: TokenStream
  private let corruption: SpanCorruption
  private let sizes: SpanCorruption.Sizes
  private let context: Int
  private let sequences: Int
  private let windowCount: Int
  /// Batches to evaluate.
  public let batchCount: Int

  /// Evaluates `tokens`, or with `tokenLimit` about that many, in whole batches spaced evenly over the
  /// stream.
  ///
  /// Throws `DatasetError.corpusTooShort` when the tokens do not fill one row.
  public init(
    tokens: TokenStream, corruption: SpanCorruption, context: Int, sequences: Int,
    tokenLimit: Int? = nil
  ) throws(DatasetError) {
    sizes = corruption.sizes(ofSource: context)
    corruption.requireSentinels(for: sizes)
    try WindowOrder.requireWindow(tokenCount: tokens.count, context: sizes.tokens)
    self.tokens = tokens
    self.corruption = corruption
    self.context = context
    self.sequences = sequences
    windowCount = tokens.count / sizes.tokens
    let batches = (windowCount + sequences - 1) / sequences
    batchCount = min(batches, max(1, (tokenLimit ?? .max) / (sequences * sizes.tokens)))
  }

  /// Fills `batch` with batch `index` of `batchCount`; rows that are too many weigh nothing.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  public func fill(_ batch: inout Batch, index: Int) throws(DatasetError) {
    batch.requireShape(sequences: sequences, context: sizes.target)
    batch.forgetExamples()
    let batches = (windowCount + sequences - 1) / sequences
    let first = index * batches / batchCount * sequences
    let rows = min(sequences, windowCount - first)
    for row in 0..<sequences {
      let window = first + min(row, rows - 1)
      let start = window * sizes.tokens
      // The seed of no run: evaluations of all runs are of the same targets.
      corruption.write(
        try tokens.ids(in: start..<start + sizes.tokens), sizes, sources: context, to: &batch,
        row: row, drawing: RandomStream(seed: 0, purpose: .corruption, window))
    }
    for place in rows * batch.context..<batch.weights.count { batch.weights[place] = 0 }
  }
}

extension SpanCorruption {
  /// The programmer's check that no span is without a sentinel.
  func requireSentinels(for sizes: Sizes) {
    precondition(
      sizes.spans <= sentinels.count, "\(sizes.spans) spans and \(sentinels.count) sentinels")
  }
}
