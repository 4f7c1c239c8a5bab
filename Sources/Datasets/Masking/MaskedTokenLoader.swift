import RandomNumbers
import Tokenizers

/// Training batches of a masked language model: a pure function of (seed, step, micro-batch).
///
/// A row is `[CLS]`, a window of the stream and `[SEP]`; windows come in the order of `WindowOrder`, and
/// the masked tokens are sampled again at every visit of a window.
package struct MaskedTokenLoader: BatchSource {
  private let windows: TrainingWindows
  private let masking: TokenMasking
  private let seed: UInt64
  /// The number of tokens in a sequence.
  private let context: Int

  /// Creates a loader of `tokens` in the order of `seed`; throws `DatasetError.corpusTooShort` when
  /// they do not fill one row.
  package init(
    tokens: TokenStream, masking: TokenMasking, context: Int, sequences: Int, microBatches: Int,
    seed: UInt64, replay: Replay? = nil
  ) throws(DatasetError) {
    windows = try TrainingWindows(
      tokens: tokens, context: TokenMasking.window(of: context), sequences: sequences,
      microBatches: microBatches, seed: seed, replay: replay)
    self.masking = masking
    self.seed = seed
    self.context = context
  }

  /// Fills `batch` with micro-batch `microBatch` of step `step`, both counted from 0.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  package func fill(_ batch: inout Batch, step: Int, microBatch: Int) throws(DatasetError) {
    batch.begin(sequences: windows.sequences, context: context)
    for row in 0..<windows.sequences {
      let (tokens, start) = windows(step: step, microBatch: microBatch, row: row)
      try masking.write(tokens, from: start, to: &batch, row: row)
    }
    masking.apply(
      to: &batch, drawing: RandomStream(seed: seed, purpose: .masking, step, microBatch))
  }

  /// Returns the number of epochs of the main corpus, with its fraction, that `steps` steps consume.
  package func epochsSeen(_ steps: Int) -> Double { windows.epochsSeen(steps) }
}

/// Evaluation batches of a masked language model: the windows of the stream in order, with the same
/// masks in every evaluation.
///
/// Tokens at the end of the stream that do not fill a row are left out.
package struct MaskedTokenEvaluationLoader: EvaluationSource {
  private let tokens: TokenStream
  private let masking: TokenMasking
  private let context: Int
  private let windows: EvaluationWindows

  /// Creates a loader of `tokens` or, with `tokenLimit`, of about that many, in whole batches spaced
  /// evenly over the stream.
  ///
  /// Throws `DatasetError.corpusTooShort` when the tokens do not fill one row.
  package init(
    tokens: TokenStream, masking: TokenMasking, context: Int, sequences: Int,
    tokenLimit: Int? = nil
  ) throws(DatasetError) {
    let window = TokenMasking.window(of: context)
    try WindowOrder.requireWindow(
      tokenCount: tokens.count, context: window, use: .validation)
    self.tokens = tokens
    self.masking = masking
    self.context = context
    windows = EvaluationWindows(
      count: tokens.count / window, length: window, sequences: sequences, tokenLimit: tokenLimit)
  }

  package var batchCount: Int { windows.batchCount }

  /// Fills `batch` with batch `index` of `batchCount`.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  package func fill(_ batch: inout Batch, index: Int) throws(DatasetError) {
    let range = windows(batch: index)
    batch.begin(sequences: range.count, context: context)
    for (row, window) in range.enumerated() {
      try masking.write(
        tokens, from: window * TokenMasking.window(of: context), to: &batch, row: row)
    }
    // A fixed seed, independent of the run's, so that evaluations of all runs have the same targets.
    masking.apply(to: &batch, drawing: RandomStream(seed: 0, purpose: .masking, range.lowerBound))
  }
}

extension TokenMasking {
  /// Returns the number of tokens of the stream in a row of `context` tokens.
  static func window(of context: Int) -> Int {
    precondition(context > 2, "a row of \(context) tokens, the first and last of which are special")
    return context - 2
  }

  /// Writes the window of `tokens` from `start` on into `row` of the inputs, between its first and last
  /// special tokens.
  func write(
    _ tokens: TokenStream, from start: Int, to batch: inout Batch, row: Int
  ) throws(DatasetError) {
    let place = row * batch.context
    batch.inputs[place] = first
    try tokens.copy(
      from: start, count: batch.context - 2, into: &batch.inputs, at: place + 1)
    batch.inputs[place + batch.context - 1] = last
  }
}
