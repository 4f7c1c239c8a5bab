/// Evaluation batches of examples: every example once, in order.
///
/// A batch takes examples as long as the next one fits into its number of tokens.
package struct ExampleEvaluationLoader: EvaluationSource {
  private let set: ExampleSet
  private let batches: [Range<Int>]

  /// Creates a loader of `set` with at most `tokens` positions in a batch, or one longer example.
  ///
  /// Throws `DatasetError.nothingToEvaluate` when the set is empty.
  package init(_ set: ExampleSet, tokens: Int) throws(DatasetError) {
    precondition(tokens >= 1, "batches of \(tokens) tokens")
    guard set.examples.count > 0 else { throw .nothingToEvaluate }
    self.set = set
    var batches: [Range<Int>] = []
    var room = 0
    for index in 0..<set.examples.count {
      let places = set.examples.length(of: index) - 1
      if places > room || batches.isEmpty {
        batches.append(index..<index)
        room = tokens
      }
      batches[batches.count - 1] = batches[batches.count - 1].lowerBound..<index + 1
      room -= places
    }
    self.batches = batches
  }

  package var batchCount: Int { batches.count }

  package func fill(_ batch: inout Batch, index: Int) {
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    set.fill(&batch, with: Array(batches[index]))
  }
}
