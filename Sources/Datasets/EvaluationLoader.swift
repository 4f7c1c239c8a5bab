import Tokenizers

/// Evaluation batches: the whole stream in order, every token a target exactly once.
///
/// The first document is treated as following an end-of-text, as the others do: so the first token is
/// a target too, and losses divide by exactly the bytes of the text. Window w has the targets
/// w·T..<(w + 1)·T. A target is predicted only from the tokens before it in its own window.
///
/// A batch has the windows that there are: the last one may have fewer, and a short window is padded
/// with end-of-text of weight 0 only to the length of those beside it. As in training, a batch depends
/// only on its index, not on rank or world size.
package struct EvaluationLoader: EvaluationSource {
  /// The tokens to evaluate.
  package let tokens: TokenStream
  /// The number of tokens in a sequence, T.
  package let context: Int
  /// The number of sequences in a batch.
  package let sequences: Int
  /// True when attention stays within a document.
  package let isolatesDocuments: Bool
  /// The input from which the first token of a document is predicted; the end-of-text when nil.
  private let beginning: TokenID?
  /// True when the end-of-text after each document is a target.
  private let countsEnds: Bool
  private let windows: EvaluationWindows

  /// Creates a loader of `tokens` or, with `tokenLimit`, of about that many targets at most, in whole
  /// batches (at least one) spaced evenly over the stream.
  ///
  /// Throws `DatasetError.nothingToEvaluate` when there is no token.
  package init(
    tokens: TokenStream, context: Int, sequences: Int, tokenLimit: Int? = nil,
    isolatesDocuments: Bool = false, beginning: TokenID? = nil, countsEnds: Bool = true
  ) throws(DatasetError) {
    precondition(
      context >= 1 && sequences >= 1, "batches of \(sequences) sequences of \(context) tokens")
    guard tokens.count > 0 else { throw .nothingToEvaluate }
    self.tokens = tokens
    self.context = context
    self.sequences = sequences
    self.isolatesDocuments = isolatesDocuments
    (self.beginning, self.countsEnds) = (beginning, countsEnds)
    windows = EvaluationWindows(
      count: (tokens.count + context - 1) / context, length: context, sequences: sequences,
      tokenLimit: tokenLimit)
  }

  package var batchCount: Int { windows.batchCount }

  /// Fills `batch` with batch `index` of `batchCount`.
  ///
  /// Throws `DatasetError.unknownToken` when the shard is damaged.
  package func fill(_ batch: inout Batch, index: Int) throws(DatasetError) {
    let range = targetRange(ofBatch: index)
    let count = range.count
    batch.begin(
      sequences: (count + context - 1) / context,
      context: min(context, Batch.roundedLength(count)))
    // Inputs are the targets shifted by one; the first input is an end-of-text.
    let isFirst = range.lowerBound == 0
    if isFirst { batch.inputs[0] = tokens.endOfText }
    let lead = isFirst ? 1 : 0
    try tokens.copy(
      from: range.lowerBound - 1 + lead, count: count - lead, into: &batch.inputs, at: lead)
    try tokens.copy(from: range.lowerBound, count: count, into: &batch.targets, at: 0)
    for i in batch.weights.indices {
      let isTarget = i < count && (countsEnds || batch.targets[i] != tokens.endOfText)
      batch.weights[i] = isTarget ? 1 : 0
      if i >= count {
        batch.inputs[i] = tokens.endOfText
        batch.targets[i] = tokens.endOfText
      }
    }
    if isolatesDocuments { batch.isolateDocuments(endOfText: tokens.endOfText) }
    batch.beginDocuments(with: beginning, after: tokens.endOfText)
  }

  /// Returns the range of the stream's tokens that are targets in batch `index`; it is contiguous,
  /// because windows are.
  package func targetRange(ofBatch index: Int) -> Range<Int> {
    let windows = windows(batch: index)
    return windows.lowerBound * context..<min(windows.upperBound * context, tokens.count)
  }
}
