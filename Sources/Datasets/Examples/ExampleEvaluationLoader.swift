import Tokenizers

/// Evaluation batches of examples: every example once, in order, several in a row.
///
/// A row takes examples as long as the next one fits; the last batch is completed with rows of
/// padding.
package struct ExampleEvaluationLoader: EvaluationSource {
  /// The number of tokens in a sequence.
  package let context: Int
  /// The number of sequences in a batch.
  package let sequences: Int
  private let examples: EncodedExamples
  private let padding: TokenID
  private let rows: [Range<Int>]

  /// Creates a loader of `set`, whose examples have at most `context` + 1 tokens.
  ///
  /// Throws `DatasetError.nothingToEvaluate` when the set is empty.
  package init(_ set: ExampleSet, context: Int, sequences: Int) throws(DatasetError) {
    precondition(
      context >= 1 && sequences >= 1, "batches of \(sequences) sequences of \(context) tokens")
    guard set.examples.count > 0 else { throw .nothingToEvaluate }
    self.context = context
    self.sequences = sequences
    examples = set.examples
    padding = set.padding
    var rows: [Range<Int>] = []
    var room = 0
    for index in 0..<examples.count {
      let places = examples.length(of: index) - 1
      precondition(places <= context, "an example of \(places + 1) tokens in rows of \(context)")
      if places > room || rows.isEmpty {
        rows.append(index..<index)
        room = context
      }
      rows[rows.count - 1] = rows[rows.count - 1].lowerBound..<index + 1
      room -= places
    }
    self.rows = rows
  }

  package var batchCount: Int { (rows.count + sequences - 1) / sequences }

  package func fill(_ batch: inout Batch, index: Int) {
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    batch.beginExamples(sequences: sequences, context: context)
    for row in 0..<sequences {
      let number = index * sequences + row
      let indices = number < rows.count ? Array(rows[number]) : []
      batch.fill(row: row, with: indices, of: examples, padding: padding)
    }
  }
}
