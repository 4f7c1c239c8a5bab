// "The parts of a network."

import RandomNumbers
import Tensors

/// What every layer of one forward pass needs to know beside its input.
public struct ForwardPass {
  /// Number of sequences in the batch.
  public let sequences: Int
  /// Where dropout draws its masks from; nil leaves everything in place (evaluation).
  public let dropout: DropoutSource?
  /// Keys and values of earlier positions, one per attention layer; empty without a cache.
  public let caches: [KeyValueRows]
  /// What the backward pass computes once more instead of keeping it.
  public let recomputation: Recomputation
  /// For every row where within its sequence its example starts; empty when every sequence is one
  /// example.
  ///
  /// A row sees nothing before its example, and positions count from there: examples that are packed
  /// into a sequence do not know of each other.
  public let starts: [Int32]
  /// What an encoder–decoder reads; nil for other networks, and where the caches hold what was made of
  /// it.
  public let source: Source?
  /// Whether low-rank maps count; without them a network under LoRA is the one it was adapted from,
  /// but for what is trained whole.
  public let usesAdapters: Bool

  /// A pass over `sequences` sequences.
  ///
  /// `starts` has an element for every row of the batch, and goes with no caches.
  public init(
    sequences: Int, dropout: DropoutSource? = nil, caches: [KeyValueRows] = [],
    recomputation: Recomputation = .none, starts: [Int32] = [], source: Source? = nil,
    usesAdapters: Bool = true
  ) {
    precondition(caches.isEmpty || starts.isEmpty, "caches of several examples in a sequence")
    precondition(
      source.map { $0.lengths.count == sequences } ?? true,
      "\(source?.lengths.count ?? 0) sources for \(sequences) sequences")
    self.sequences = sequences
    self.dropout = dropout
    self.caches = caches
    self.recomputation = recomputation
    self.starts = starts
    self.source = source
    self.usesAdapters = usesAdapters
  }

  /// The same pass without low-rank maps.
  public var withoutAdapters: ForwardPass {
    ForwardPass(
      sequences: sequences, dropout: dropout, caches: caches, recomputation: recomputation,
      starts: starts, source: source, usesAdapters: false)
  }

  /// The same pass over sequences of `length` tokens, of which the first `lengths` are a text that does
  /// not see the padding behind it.
  ///
  /// No lengths say that there is no padding.
  public func keepingPaddingApart(_ lengths: [Int32], length: Int) -> ForwardPass {
    guard lengths.contains(where: { $0 < length }) else { return self }
    precondition(starts.isEmpty && caches.isEmpty, "padding in sequences of several examples")
    return ForwardPass(
      sequences: sequences, dropout: dropout, recomputation: recomputation,
      starts: lengths.flatMap { own in (0..<Int32(length)).map { $0 < own ? 0 : own } },
      source: source, usesAdapters: usesAdapters)
  }

  /// The result of one of the network's layers, its inner values kept or not as `recomputation` says.
  public func layer(_ x: Tensor, _ body: @escaping (Tensor) -> Tensor) -> Tensor {
    recomputation == .layer ? x.recomputed(body) : body(x)
  }

  /// Positions of `rows` new rows, sequence after sequence, continuing after the cached ones.
  public func positions(rows: Int) -> [Int32] {
    let length = rows / sequences
    guard starts.isEmpty else {
      precondition(starts.count == rows, "\(starts.count) starts for \(rows) rows")
      return (0..<rows).map { Int32($0 % length) - starts[$0] }
    }
    guard let past = caches.first?.lengths else { return (0..<rows).map { Int32($0 % length) } }
    return (0..<rows).map { Int32(past[$0 / length] + $0 % length) }
  }
}

/// Activations that are computed a second time rather than kept for the backward pass.
public enum Recomputation: String, Sendable, CaseIterable {
  /// Results of norms and activations alone, which cost next to nothing: the least time.
  case none
  /// Everything within a layer: its input alone is kept, for about a third more time.
  case layer
}

/// The place of a forward pass in a run, from which every dropout mask follows.
public struct DropoutSource: Sendable {
  let seed: UInt64
  let step: Int
  let microBatch: Int

  /// The masks of micro-batch `microBatch` of step `step`.
  public init(seed: UInt64, step: Int, microBatch: Int) {
    self.seed = seed
    self.step = step
    self.microBatch = microBatch
  }

  func mask(rate: Float, site: Int) -> DropoutMask? {
    guard rate > 0 else { return nil }
    return DropoutMask(
      rate: rate,
      stream: RandomStream(seed: seed, purpose: .dropout, step, microBatch, site))
  }
}

/// Dropout at one place of a network.
public struct Dropout: Sendable {
  let rate: Float
  let site: Int

  /// - Parameters:
  ///   - rate: Share of elements set to zero, in [0, 1).
  ///   - site: Number of the place, different for every dropout of a network; negative ones are
  ///     those of low-rank maps.
  public init(rate: Float, site: Int) {
    self.rate = rate
    self.site = site
  }

  /// The mask of this place in `pass`; nil when nothing is dropped.
  public func mask(_ pass: ForwardPass) -> DropoutMask? {
    pass.dropout?.mask(rate: rate, site: site)
  }

  /// x with some elements dropped, or x itself.
  public func callAsFunction(_ x: Tensor, _ pass: ForwardPass) -> Tensor {
    x.dropout(mask(pass))
  }
}
