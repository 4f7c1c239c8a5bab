import RandomNumbers

/// The order in which training visits the windows of a token stream.
///
/// A window has `context` + 1 tokens: `context` inputs, and the targets shifted by one. In an epoch
/// the windows are at stride `context` from an offset on, and are visited in a keyed permutation;
/// offset and permutation change with the epoch, so that the position of a token in its window varies.
/// With N tokens and context C, every epoch has
///
///     W = max(1, ⌊(N − C) / C⌋)
///
/// windows, the number that fits after the largest offset: it must not depend on the epoch, so that
/// the epoch of a sample is a division. Up to 2C − 1 tokens at the ends are left to other epochs.
///
/// The random words of epoch e are block e of the stream (seed, `.dataOrder`): two words for the
/// offset, two for the key of the permutation.
package struct WindowOrder: Sendable {
  /// The number of inputs in a window, C.
  package let context: Int
  /// The number of windows in every epoch, W.
  package let windowsPerEpoch: Int
  private let offsetCount: Int
  private let stream: RandomStream

  /// Creates the order under `seed` of the windows of a stream of `tokenCount` tokens; throws
  /// `DatasetError.corpusTooShort` when they do not fill one window.
  package init(
    tokenCount: Int, context: Int, seed: UInt64, use: TextUse = .training
  ) throws(DatasetError) {
    precondition(context >= 1, "a context of \(context) tokens")
    try Self.requireWindow(tokenCount: tokenCount, context: context, use: use)
    self.context = context
    windowsPerEpoch = max(1, (tokenCount - context) / context)
    // The last target is token offset + W·C, which must exist.
    offsetCount = min(context, tokenCount - windowsPerEpoch * context)
    stream = RandomStream(seed: seed, purpose: .dataOrder)
  }

  /// Throws `DatasetError.corpusTooShort` unless `tokenCount` tokens fill one window.
  package static func requireWindow(
    tokenCount: Int, context: Int, use: TextUse = .training
  ) throws(DatasetError) {
    guard tokenCount > context else {
      throw .corpusTooShort(tokens: tokenCount, context: context, use: use)
    }
  }

  /// Returns the first token of window `sample`, counted from the start of training over all epochs.
  package func start(ofSample sample: Int) -> Int {
    precondition(sample >= 0, "window \(sample)")
    let (epoch, index) = sample.quotientAndRemainder(dividingBy: windowsPerEpoch)
    let words = stream.block(UInt64(epoch))
    let offset = (UInt64(words.x) | UInt64(words.y) << 32) % UInt64(offsetCount)
    let permutation = KeyedPermutation(count: windowsPerEpoch, key: SIMD2(words.z, words.w))
    return Int(offset) + permutation(index) * context
  }
}

/// The use of a text in a run, for errors.
package enum TextUse: String, Sendable {
  /// The text to train on.
  case training
  /// The text that is trained on again, a fraction of every step.
  case replayed
  /// The text to evaluate on.
  case validation

  /// The way to have more of it.
  var remedy: String {
    switch self {
    case .training: "add text"
    case .replayed: "add text to data.replay.train"
    case .validation: "hold out or name more text with data.validation"
    }
  }
}
