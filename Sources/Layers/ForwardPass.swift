// "The parts of a network."

import RandomNumbers
import Tensors

/// The settings of one forward pass that every layer needs beside its input.
package struct ForwardPass {
  /// Number of sequences in the batch.
  package let sequences: Int
  /// The source of the dropout masks; nil for no dropout (evaluation).
  package let dropout: DropoutSource?
  /// KV caches, one per attention layer (an encoder–decoder has one per self-attention layer,
  /// then one per cross-attention layer); empty when nothing is cached.
  package let caches: [KVCache]
  /// The activations that the backward pass recomputes instead of keeping them.
  package let recomputation: Recomputation
  /// The start of each row's example within its sequence, [rows]; empty when every sequence is one
  /// example.
  ///
  /// A row attends to nothing before its example's start, and its position counts from there, so
  /// that examples packed into one sequence do not see each other.
  package let starts: [Int32]
  /// The encoder input of an encoder–decoder; nil for other networks, and when the caches already
  /// hold the keys and values of the encoder's output.
  package let encoderInput: EncoderInput?
  /// True when LoRA adapters are applied.
  ///
  /// Without them a network under LoRA computes what its base model computes, except for the
  /// modules that are trained in full.
  package private(set) var usesAdapters: Bool

  /// A pass over `sequences` sequences.
  ///
  /// `starts` has one element per row of the batch and cannot be combined with caches.
  package init(
    sequences: Int, dropout: DropoutSource? = nil, caches: [KVCache] = [],
    recomputation: Recomputation = .none, starts: [Int32] = [], encoderInput: EncoderInput? = nil,
    usesAdapters: Bool = true
  ) {
    precondition(caches.isEmpty || starts.isEmpty, "caches of several examples in a sequence")
    precondition(
      encoderInput.map { $0.lengths.count == sequences } ?? true,
      "encoder input of \(encoderInput?.lengths.count ?? 0) sequences for \(sequences) sequences")
    self.sequences = sequences
    self.dropout = dropout
    self.caches = caches
    self.recomputation = recomputation
    self.starts = starts
    self.encoderInput = encoderInput
    self.usesAdapters = usesAdapters
  }

  /// This pass without LoRA adapters.
  package var withoutAdapters: ForwardPass {
    var pass = self
    pass.usesAdapters = false
    return pass
  }

  /// Returns `body(x)` for one layer of the network; under `Recomputation.layer` only `x` is kept
  /// for the backward pass.
  package func layer(_ x: Tensor, _ body: @escaping (Tensor) -> Tensor) -> Tensor {
    recomputation == .layer ? x.recomputed(body) : body(x)
  }

  /// Returns the positions of `rows` new rows, sequence after sequence, continuing after the cached
  /// ones.
  package func positions(rows: Int) -> [Int32] {
    let length = rows / sequences
    guard starts.isEmpty else {
      precondition(starts.count == rows, "\(starts.count) starts for \(rows) rows")
      return (0..<rows).map { Int32($0 % length) - starts[$0] }
    }
    guard let past = caches.first?.lengths else { return (0..<rows).map { Int32($0 % length) } }
    return (0..<rows).map { Int32(past[$0 / length] + $0 % length) }
  }
}

/// Activation recomputation (checkpointing): the activations that the backward pass computes
/// again instead of keeping them.
package enum Recomputation: String, Sendable, CaseIterable {
  /// Only the results of norms and activation functions, which cost almost nothing; the fastest.
  case none
  /// Everything within a layer: only its input is kept, for about a third more time.
  case layer
}

/// The position of a forward pass in a run (seed, step, micro-batch), which determines every
/// dropout mask.
package struct DropoutSource: Sendable {
  let seed: UInt64
  let step: Int
  let microBatch: Int
  /// True for dropout in LoRA adapters alone.
  let isOfAdapters: Bool

  /// The masks of micro-batch `microBatch` of step `step`.
  package init(seed: UInt64, step: Int, microBatch: Int) {
    self.init(seed: seed, step: step, microBatch: microBatch, isOfAdapters: false)
  }

  private init(seed: UInt64, step: Int, microBatch: Int, isOfAdapters: Bool) {
    self.seed = seed
    self.step = step
    self.microBatch = microBatch
    self.isOfAdapters = isOfAdapters
  }

  /// The masks of LoRA adapters, without those of the model itself.
  package var ofAdapters: DropoutSource {
    DropoutSource(seed: seed, step: step, microBatch: microBatch, isOfAdapters: true)
  }

  func mask(rate: Float, site: Int) -> DropoutMask? {
    guard rate > 0, !isOfAdapters || site < 0 else { return nil }
    return DropoutMask(
      rate: rate,
      stream: RandomStream(seed: seed, purpose: .dropout, step, microBatch, site))
  }
}

/// One dropout module of a network.
package struct Dropout: Sendable {
  let rate: Float
  let site: Int

  /// - Parameters:
  ///   - rate: Probability that an element is set to zero, in [0, 1).
  ///   - site: Number of the module, unique within a network; negative numbers belong to LoRA
  ///     adapters.
  package init(rate: Float, site: Int) {
    self.rate = rate
    self.site = site
  }

  /// Returns the mask of this module in `pass`; nil when nothing is dropped.
  package func mask(_ pass: ForwardPass) -> DropoutMask? {
    pass.dropout?.mask(rate: rate, site: site)
  }

  /// Applies dropout to `x`; returns `x` when the pass has no dropout or the rate is 0.
  package func callAsFunction(_ x: Tensor, _ pass: ForwardPass) -> Tensor {
    x.dropout(mask(pass))
  }
}
