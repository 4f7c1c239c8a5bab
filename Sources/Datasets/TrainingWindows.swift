import RandomNumbers

/// A second corpus, of which a share of the rows of every step is drawn: what a model knew before is
/// repeated while it learns something new.
public struct Replay: Sendable {
  /// Its tokens.
  public let tokens: TokenStream
  /// Share of the rows, in [0, 1).
  public let share: Double

  /// Rows of `tokens`, `share` of all.
  public init(_ tokens: TokenStream, share: Double) {
    precondition((0..<1).contains(share), "a share of \(share)")
    self.tokens = tokens
    self.share = share
  }
}

/// Which window of which corpus stands in a row of training: a pure function of (seed, step,
/// micro-batch, row), whatever is then made of the window.
///
/// With M micro-batches of S rows, a step has R = M·S rows; n of them are replayed before step s:
///
///     n(s) = ⌊s · R · share⌋
///
/// so that the share is met at every step to one row, and any step finds its place at once. Which rows
/// of a step are replayed, and which window stands in which, a keyed permutation π of its rows says:
/// row r holds window n(s) + π(r) of the replayed corpus where π(r) < n(s + 1) − n(s), and else window
/// s·R − n(s) + π(r) − (n(s + 1) − n(s)) of the other. So each corpus is read window by window in its
/// own order (see `WindowOrder`): in an epoch of it, every window once.
public struct TrainingWindows: Sendable {
  private struct Corpus: Sendable {
    let tokens: TokenStream
    let order: WindowOrder
  }

  /// Tokens in a window, without the one more that is the last target.
  public let context: Int
  /// Rows in a micro-batch.
  public let sequences: Int
  /// Micro-batches in a step.
  public let microBatches: Int
  private let corpus: Corpus
  private let replayed: Corpus?
  private let share: Double
  private let seed: UInt64

  /// Windows of `tokens`, and of what is replayed, in the orders of `seed`; throws
  /// `DatasetError.corpusTooShort` when a corpus does not fill one.
  public init(
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
    share = replay?.share ?? 0
    if let replay, share > 0 {
      replayed = Corpus(
        tokens: replay.tokens,
        order: try WindowOrder(tokenCount: replay.tokens.count, context: context, seed: seed))
    } else {
      replayed = nil
    }
  }

  /// The tokens that are not replayed.
  public var tokens: TokenStream { corpus.tokens }
  /// Their order.
  public var order: WindowOrder { corpus.order }

  /// Rows that are replayed before `step`.
  private func replayedRows(before step: Int) -> Int {
    Int((Double(step * microBatches * sequences) * share).rounded(.down))
  }

  /// The corpus and the first token of the window in `row` of micro-batch `microBatch` of step `step`,
  /// all from 0.
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
    let rank = KeyedPermutation(count: rows, key: SIMD2(words.x, words.y))(place)
    let before = replayedRows(before: step)
    let own = replayedRows(before: step + 1) - before
    if rank < own {
      return (replayed.tokens, replayed.order.start(ofSample: before + rank))
    }
    return (
      corpus.tokens, corpus.order.start(ofSample: step * rows - before + rank - own)
    )
  }

  /// How many times the corpus that is not replayed was seen after `steps` steps.
  public func epochsSeen(_ steps: Int) -> Double {
    Double(steps * microBatches * sequences - replayedRows(before: steps))
      / Double(corpus.order.windowsPerEpoch)
  }
}
