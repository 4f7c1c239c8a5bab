import Tokenizers

/// Batches of preference pairs: row 2i is a prompt with the chosen answer, row 2i + 1 the same prompt
/// with the rejected one, both filled up with padding at their end.
///
/// A pure function of (seed, step, micro-batch), with `pair = (step · M + micro-batch) · pairs + i` in
/// the order of `ExampleOrder`. A target weighs 1 where it belongs to the answer, its end of turn
/// included; `Batch.lengths` has the tokens of each row, the last of which is the end of the answer,
/// and `Batch.margins` one number a pair.
public struct PairLoader: BatchSource {
  /// Tokens in a sequence.
  public let context: Int
  /// Pairs in a micro-batch, which has twice as many sequences.
  public let pairs: Int
  /// Micro-batches in a step, M.
  public let microBatches: Int
  private let set: PairSet
  private let order: ExampleOrder

  /// Loads from `set`, none of whose sides is longer than the context.
  public init(_ set: PairSet, context: Int, pairs: Int, microBatches: Int, seed: UInt64) {
    precondition(
      pairs >= 1 && microBatches >= 1, "\(microBatches) micro-batches of \(pairs) pairs")
    self.set = set
    self.context = context
    self.pairs = pairs
    self.microBatches = microBatches
    order = ExampleOrder(count: set.count, seed: seed)
  }

  /// Fills `batch` with micro-batch `microBatch` of step `step`, both from 0.
  public func fill(_ batch: inout Batch, step: Int, microBatch: Int) {
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch,
      "micro-batch \(microBatch) of \(microBatches) in step \(step)")
    batch.beginPairs(pairs, context: context)
    for (i, index) in indices(step: step, microBatch: microBatch).enumerated() {
      set.fill(&batch, pair: i, with: index)
    }
  }

  /// The numbers in the set of the pairs of micro-batch `microBatch` of step `step`.
  public func indices(step: Int, microBatch: Int) -> [Int] {
    let first = (step * microBatches + microBatch) * pairs
    return (first..<first + pairs).map { order($0).index }
  }

  /// How many times every pair was seen after `steps` steps.
  public func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * pairs) / Double(set.count)
  }
}

/// Evaluation batches of preference pairs: every pair once, in order.
///
/// The last batch is filled up with rows of padding, which have no weight and are one token long.
public struct PairEvaluationLoader: EvaluationSource {
  /// Tokens in a sequence.
  public let context: Int
  /// Pairs in a batch, which has twice as many sequences.
  public let pairs: Int
  private let set: PairSet

  /// Evaluates `set`, none of whose sides is longer than the context.
  public init(_ set: PairSet, context: Int, pairs: Int) {
    precondition(pairs >= 1, "batches of \(pairs) pairs")
    self.set = set
    self.context = context
    self.pairs = pairs
  }

  /// Batches that hold all pairs.
  public var batchCount: Int { (set.count + pairs - 1) / pairs }

  /// The pairs in batch `index`, by their number in the set: its first rows, two for each.
  public func range(ofBatch index: Int) -> Range<Int> {
    precondition(0..<batchCount ~= index, "batch \(index) of \(batchCount)")
    return index * pairs..<min(set.count, (index + 1) * pairs)
  }

  /// Fills `batch` with batch `index` of `batchCount`.
  public func fill(_ batch: inout Batch, index: Int) {
    let range = range(ofBatch: index)
    batch.beginPairs(pairs, context: context)
    for i in 0..<pairs {
      set.fill(&batch, pair: i, with: i < range.count ? range.lowerBound + i : nil)
    }
  }
}

extension Batch {
  /// Makes ready for `pairs` pairs.
  fileprivate mutating func beginPairs(_ pairs: Int, context: Int) {
    requireShape(sequences: 2 * pairs, context: context)
    beginRows()
    margins.append(contentsOf: repeatElement(0, count: pairs))
  }
}
