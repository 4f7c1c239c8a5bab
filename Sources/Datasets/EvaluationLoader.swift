/// Evaluation batches: the whole stream in order, every token a target exactly once.
///
/// The stream is taken to follow an end-of-text, as each of its documents but the first does: so the
/// first token is a target too, and losses divide by exactly the bytes of the text. Window w has the
/// targets w·T..<(w + 1)·T; the last is filled up with end-of-text of weight 0. A target knows only
/// what stands before it in its own window.
///
/// As in training, no rank appears: whoever asks for a batch by its number gets it.
public struct EvaluationLoader: Sendable {
  /// The tokens that are evaluated.
  public let tokens: TokenStream
  /// Tokens in a sequence, T.
  public let context: Int
  /// Sequences in a batch.
  public let sequences: Int
  /// Batches to evaluate.
  public let batchCount: Int
  /// Whether attention stays within a document.
  public let isolatesDocuments: Bool
  private let batchesInStream: Int

  /// Evaluates `tokens`, or with `tokenLimit` at most about that many targets, in whole batches
  /// (one at least) spaced evenly over the stream.
  ///
  /// Throws `DatasetError.nothingToEvaluate` when there is no token.
  public init(
    tokens: TokenStream, context: Int, sequences: Int, tokenLimit: Int? = nil,
    isolatesDocuments: Bool = false
  ) throws(DatasetError) {
    precondition(
      context >= 1 && sequences >= 1, "batches of \(sequences) sequences of \(context) tokens")
    guard tokens.count > 0 else { throw .nothingToEvaluate }
    self.tokens = tokens
    self.context = context
    self.sequences = sequences
    self.isolatesDocuments = isolatesDocuments
    let batchTokens = sequences * context
    batchesInStream = (tokens.count + batchTokens - 1) / batchTokens
    batchCount = min(batchesInStream, max(1, (tokenLimit ?? .max) / batchTokens))
  }

  /// Fills `batch` with batch `index` of `batchCount`, without allocating.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  public func fill(_ batch: inout Batch, index: Int) throws(DatasetError) {
    batch.requireShape(sequences: sequences, context: context)
    batch.forgetExamples()
    let range = targetRange(ofBatch: index)
    let count = range.count
    // Inputs are the targets one place earlier; before the first stands an end-of-text.
    let isFirst = range.lowerBound == 0
    if isFirst { batch.inputs[0] = tokens.endOfText }
    let lead = isFirst ? 1 : 0
    try tokens.copy(
      from: range.lowerBound - 1 + lead, count: count - lead, into: &batch.inputs, at: lead)
    try tokens.copy(from: range.lowerBound, count: count, into: &batch.targets, at: 0)
    for i in batch.weights.indices {
      batch.weights[i] = i < count ? 1 : 0
      if i >= count {
        batch.inputs[i] = tokens.endOfText
        batch.targets[i] = tokens.endOfText
      }
    }
    if isolatesDocuments { batch.isolateDocuments(endOfText: tokens.endOfText) }
  }

  /// The tokens of the stream that are targets in batch `index`: windows are contiguous, so its
  /// rows are one run.
  public func targetRange(ofBatch index: Int) -> Range<Int> {
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    let batchTokens = sequences * context
    let start = index * batchesInStream / batchCount * batchTokens
    return start..<min(start + batchTokens, tokens.count)
  }
}
