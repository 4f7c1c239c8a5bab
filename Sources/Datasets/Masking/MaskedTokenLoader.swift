import RandomNumbers
import Tokenizers

/// Training batches of masked tokens: a pure function of (seed, step, micro-batch).
///
/// A row is `[CLS]`, a window of the stream and `[SEP]`; windows come in the order of `WindowOrder`, and
/// what is masked of one is drawn anew every time that it comes.
public struct MaskedTokenLoader: BatchSource {
  private let windows: TrainingWindows
  private let masking: TokenMasking
  private let seed: UInt64
  /// Tokens in a sequence.
  private let context: Int

  /// Loads from `tokens` in the order of `seed`; throws `DatasetError.corpusTooShort` when they do not
  /// fill one row.
  public init(
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

  /// Fills `batch` with micro-batch `microBatch` of step `step`, both from 0.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  public func fill(_ batch: inout Batch, step: Int, microBatch: Int) throws(DatasetError) {
    batch.requireShape(sequences: windows.sequences, context: context)
    batch.forgetExamples()
    for row in 0..<windows.sequences {
      let (tokens, start) = windows(step: step, microBatch: microBatch, row: row)
      try masking.write(tokens, from: start, to: &batch, row: row)
    }
    masking.apply(
      to: &batch, drawing: RandomStream(seed: seed, purpose: .masking, step, microBatch))
  }

  /// How many times the corpus was seen after `steps` steps.
  public func epochsSeen(_ steps: Int) -> Double { windows.epochsSeen(steps) }
}

/// Evaluation batches of masked tokens: the windows of the stream in order, masked the same every time.
///
/// Tokens at the end of the stream that do not fill a row are left out.
public struct MaskedTokenEvaluationLoader: EvaluationSource {
  private let tokens: TokenStream
  private let masking: TokenMasking
  private let context: Int
  private let sequences: Int
  /// Batches to evaluate.
  public let batchCount: Int
  private let windowCount: Int

  /// Evaluates `tokens`, or with `tokenLimit` about that many, in whole batches spaced evenly over the
  /// stream.
  ///
  /// Throws `DatasetError.corpusTooShort` when the tokens do not fill one row.
  public init(
    tokens: TokenStream, masking: TokenMasking, context: Int, sequences: Int,
    tokenLimit: Int? = nil
  ) throws(DatasetError) {
    let window = TokenMasking.window(of: context)
    try WindowOrder.requireWindow(tokenCount: tokens.count, context: window)
    self.tokens = tokens
    self.masking = masking
    self.context = context
    self.sequences = sequences
    windowCount = tokens.count / window
    let batches = (windowCount + sequences - 1) / sequences
    batchCount = min(batches, max(1, (tokenLimit ?? .max) / (sequences * window)))
  }

  /// Fills `batch` with batch `index` of `batchCount`; rows that are too many weigh nothing.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  public func fill(_ batch: inout Batch, index: Int) throws(DatasetError) {
    batch.requireShape(sequences: sequences, context: context)
    batch.forgetExamples()
    let batches = (windowCount + sequences - 1) / sequences
    let first = index * batches / batchCount * sequences
    let rows = min(sequences, windowCount - first)
    for row in 0..<sequences {
      let window = first + min(row, rows - 1)
      try masking.write(
        tokens, from: window * TokenMasking.window(of: context), to: &batch, row: row)
    }
    // The seed of no run: evaluations of all runs are of the same targets.
    masking.apply(to: &batch, drawing: RandomStream(seed: 0, purpose: .masking, first))
    for place in rows * context..<batch.weights.count { batch.weights[place] = 0 }
  }
}

extension TokenMasking {
  /// Tokens of the stream in a row of `context`.
  static func window(of context: Int) -> Int {
    precondition(context > 2, "a row of \(context) tokens, two of which are around the others")
    return context - 2
  }

  /// Writes the window of `tokens` from `start` on into `row` of the inputs, between the tokens that
  /// begin and end it.
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
