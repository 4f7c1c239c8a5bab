/// The windows of a token stream that an evaluation reads: in order, all of them or, with a limit,
/// whole batches spaced evenly over the stream.
struct EvaluationWindows: Sendable {
  /// The number of windows in the stream.
  let count: Int
  /// The number of windows in a batch.
  let sequences: Int
  /// The number of batches to evaluate.
  let batchCount: Int

  /// - Parameters:
  ///   - length: The number of tokens in a window.
  ///   - tokenLimit: The number of tokens to evaluate, about; at least one batch is evaluated.
  init(count: Int, length: Int, sequences: Int, tokenLimit: Int?) {
    self.count = count
    self.sequences = sequences
    let batches = (count + sequences - 1) / sequences
    batchCount = min(batches, max(1, (tokenLimit ?? .max) / (sequences * length)))
  }

  /// Returns the windows of batch `index`, of which the last batch may have fewer than `sequences`.
  func callAsFunction(batch index: Int) -> Range<Int> {
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    let batches = (count + sequences - 1) / sequences
    let first = index * batches / batchCount * sequences
    return first..<min(first + sequences, count)
  }
}
