import Tokenizers

/// Batches of labelled texts: one text a row, filled up with padding at its end.
///
/// A pure function of (seed, step, micro-batch), with
/// `text = (step · M + micro-batch) · sequences + row` in the order of `ExampleOrder`. The last token
/// of each text, where a head reads, weighs 1 and all else 0; `Batch.lengths` has the tokens of each
/// row and `Batch.labels` its class or value.
public struct LabelLoader: BatchSource {
  /// Tokens in a sequence.
  public let context: Int
  /// Texts in a micro-batch.
  public let sequences: Int
  /// Micro-batches in a step, M.
  public let microBatches: Int
  private let set: LabelSet
  private let order: ExampleOrder

  /// Loads from `set`, none of whose texts is longer than the context.
  public init(_ set: LabelSet, context: Int, sequences: Int, microBatches: Int, seed: UInt64) {
    precondition(
      sequences >= 1 && microBatches >= 1,
      "\(microBatches) micro-batches of \(sequences) sequences")
    self.set = set
    self.context = context
    self.sequences = sequences
    self.microBatches = microBatches
    order = ExampleOrder(count: set.count, seed: seed)
  }

  /// Fills `batch` with micro-batch `microBatch` of step `step`, both from 0.
  public func fill(_ batch: inout Batch, step: Int, microBatch: Int) {
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch,
      "micro-batch \(microBatch) of \(microBatches) in step \(step)")
    batch.beginLabels(sequences, context: context)
    let first = (step * microBatches + microBatch) * sequences
    for row in 0..<sequences {
      set.fill(&batch, row: row, with: order(first + row).index)
    }
  }

  /// How many times every text was seen after `steps` steps.
  public func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * sequences) / Double(set.count)
  }
}

/// Evaluation batches of labelled texts: every text once, in order.
///
/// The last batch is filled up with rows of padding, which have no weight and are one token long.
public struct LabelEvaluationLoader: EvaluationSource {
  /// Tokens in a sequence.
  public let context: Int
  /// Texts in a batch.
  public let sequences: Int
  private let set: LabelSet

  /// Evaluates `set`, none of whose texts is longer than the context.
  public init(_ set: LabelSet, context: Int, sequences: Int) {
    precondition(sequences >= 1, "batches of \(sequences) sequences")
    self.set = set
    self.context = context
    self.sequences = sequences
  }

  /// Batches that hold all texts.
  public var batchCount: Int { (set.count + sequences - 1) / sequences }

  /// The texts in batch `index`, by their number in the set: its first rows.
  public func range(ofBatch index: Int) -> Range<Int> {
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    return index * sequences..<min(set.count, (index + 1) * sequences)
  }

  /// Fills `batch` with batch `index` of `batchCount`.
  public func fill(_ batch: inout Batch, index: Int) {
    let range = range(ofBatch: index)
    batch.beginLabels(sequences, context: context)
    for row in 0..<sequences {
      set.fill(&batch, row: row, with: row < range.count ? range.lowerBound + row : nil)
    }
  }
}

extension Batch {
  /// Makes ready for one labelled text a row.
  fileprivate mutating func beginLabels(_ sequences: Int, context: Int) {
    requireShape(sequences: sequences, context: context)
    beginRows()
    labels.append(contentsOf: repeatElement(0, count: sequences))
  }
}
