import RandomNumbers

/// Experience replay: a second corpus, usually of earlier training, that supplies a fraction of the
/// rows of every step so that the model does not forget it.
package struct Replay: Sendable {
  /// The tokens of the replayed corpus.
  package let tokens: TokenStream
  /// The fraction of the rows that are replayed, in [0, 1).
  package let fraction: Double

  package init(_ tokens: TokenStream, fraction: Double) {
    precondition((0..<1).contains(fraction), "a fraction of \(fraction)")
    self.tokens = tokens
    self.fraction = fraction
  }
}

/// The assignment of windows of the corpora to training rows: a pure function of (seed, step,
/// micro-batch, row), used by every pretraining objective.
///
/// With M micro-batches of S rows, a step has R = M·S rows. The number of rows replayed before step s
/// is
///
///     n(s) = ⌊s · R · fraction⌋
///
/// so that the replayed rows match the fraction to within one row at every step, and any step is
/// computed directly. A keyed permutation π of the step's rows decides which of them are replayed, and
/// with which window: row r holds window n(s) + π(r) of the replayed corpus if π(r) < n(s + 1) − n(s),
/// else window s·R − n(s) + π(r) − (n(s + 1) − n(s)) of the main corpus. So each corpus is read window
/// by window in its own order (see `WindowOrder`): every window once per epoch of that corpus.
package struct TrainingWindows: Sendable {
  private struct Corpus: Sendable {
    let tokens: TokenStream
    let order: WindowOrder
  }

  /// The number of inputs in a window, which has one token more for the last target.
  package let context: Int
  /// The number of rows in a micro-batch, S.
  package let sequences: Int
  /// The number of micro-batches in a step, M.
  package let microBatches: Int
  private let corpus: Corpus
  private let replayed: Corpus?
  private let fraction: Double
  private let seed: UInt64

  /// Assigns windows of `tokens` and of the replayed corpus in the orders of `seed`; throws
  /// `DatasetError.corpusTooShort` when a corpus does not fill one window.
  package init(
    tokens: TokenStream, context: Int, sequences: Int, microBatches: Int, seed: UInt64,
    replay: Replay? = nil
  ) throws(DatasetError) {
    precondition(
      sequences >= 1 && microBatches >= 1,
      "\(microBatches) micro-batches of \(sequences) sequences")
    self.context = context
    self.sequences = sequences
    self.microBatches = microBatches
    self.seed = seed
    corpus = Corpus(
      tokens: tokens,
      order: try WindowOrder(tokenCount: tokens.count, context: context, seed: seed))
    fraction = replay?.fraction ?? 0
    if let replay, fraction > 0 {
      replayed = Corpus(
        tokens: replay.tokens,
        order: try WindowOrder(
          tokenCount: replay.tokens.count, context: context, seed: seed, use: .replayed))
    } else {
      replayed = nil
    }
  }

  /// The tokens of the main corpus, without the replayed corpus.
  package var tokens: TokenStream { corpus.tokens }
  /// The order of the main corpus's windows.
  package var order: WindowOrder { corpus.order }

  /// Returns n(`step`), the number of rows that are replayed before `step`.
  private func replayedRows(before step: Int) -> Int {
    Int((Double(step * microBatches * sequences) * fraction).rounded(.down))
  }

  /// Returns the corpus and the first token of the window in `row` of micro-batch `microBatch` of step
  /// `step`, all counted from 0.
  func callAsFunction(step: Int, microBatch: Int, row: Int) -> (tokens: TokenStream, start: Int) {
    precondition(
      step >= 0 && 0..<microBatches ~= microBatch && 0..<sequences ~= row,
      "row \(row) of micro-batch \(microBatch) of \(microBatches)×\(sequences) in step \(step)")
    let rows = microBatches * sequences
    let place = microBatch * sequences + row
    guard let replayed else {
      return (corpus.tokens, corpus.order.start(ofSample: step * rows + place))
    }
    let words = RandomStream(seed: seed, purpose: .replay, step).block(0)
    let position = KeyedPermutation(count: rows, key: SIMD2(words.x, words.y))(place)
    let before = replayedRows(before: step)
    let replayedHere = replayedRows(before: step + 1) - before
    if position < replayedHere {
      return (replayed.tokens, replayed.order.start(ofSample: before + position))
    }
    return (
      corpus.tokens, corpus.order.start(ofSample: step * rows - before + position - replayedHere)
    )
  }

  /// Returns the number of epochs of the main corpus, with its fraction, that `steps` steps consume.
  package func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * sequences - replayedRows(before: steps))
      / Double(corpus.order.windowsPerEpoch)
  }
}
