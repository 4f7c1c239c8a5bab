import Tokenizers

/// Evaluation batches in a fixed order, each had by its number: no rank appears.
public protocol EvaluationSource: Sendable {
  /// Batches to evaluate.
  var batchCount: Int { get }

  /// Fills `batch`, which has the source's shape, with batch `index` of `batchCount`.
  func fill(_ batch: inout Batch, index: Int) throws
}

extension EvaluationLoader: EvaluationSource {}

/// Evaluation batches of examples: every example once, in order, packed as in training.
///
/// A row takes examples as long as the next has room; the last batch is filled up with rows of padding.
public struct ExampleEvaluationLoader: EvaluationSource {
  /// Tokens in a sequence.
  public let context: Int
  /// Sequences in a batch.
  public let sequences: Int
  private let examples: EncodedExamples
  private let padding: TokenID
  private let rows: [Range<Int>]

  /// Evaluates `set`, none of whose examples is longer than the context and one more.
  ///
  /// Throws `DatasetError.nothingToEvaluate` when it holds none.
  public init(_ set: ExampleSet, context: Int, sequences: Int) throws(DatasetError) {
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

  /// Batches that hold all examples.
  public var batchCount: Int { (rows.count + sequences - 1) / sequences }

  /// Fills `batch` with batch `index` of `batchCount`.
  public func fill(_ batch: inout Batch, index: Int) {
    batch.requireShape(sequences: sequences, context: context)
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    batch.beginExamples()
    for row in 0..<sequences {
      let number = index * sequences + row
      let indices = number < rows.count ? Array(rows[number]) : []
      batch.fill(row: row, with: indices, of: examples, padding: padding)
    }
  }
}
