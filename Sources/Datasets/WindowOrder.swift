import RandomNumbers

/// Which window of the token stream is the n-th that training sees.
///
/// A window has `context` + 1 tokens: as many inputs, and the same shifted by one as targets. In an
/// epoch the windows stand at stride `context` from an offset on, and are visited in a keyed
/// permutation; offset and permutation are new in each epoch, so that a token is not always at the
/// same place of its window. With N tokens and context C, every epoch has
///
///     W = max(1, ⌊(N − C) / C⌋)
///
/// windows, the number that fits behind the largest offset: it must not depend on the epoch, or the
/// epoch of a sample would not be a division. Up to 2C − 1 tokens at the ends wait for another epoch.
///
/// The numbers of epoch e are block e of the stream (seed, `.dataOrder`): two words for the offset,
/// two for the key of the permutation.
public struct WindowOrder: Sendable {
  /// Inputs in a window.
  public let context: Int
  /// Windows in every epoch, W.
  public let windowsPerEpoch: Int
  private let offsets: Int
  private let stream: RandomStream

  /// The order under `seed` of the windows of a stream of `tokenCount` tokens; throws
  /// `DatasetError.corpusTooShort` when there is not one.
  public init(tokenCount: Int, context: Int, seed: UInt64) throws(DatasetError) {
    precondition(context >= 1, "a context of \(context) tokens")
    try Self.requireWindow(tokenCount: tokenCount, context: context)
    self.context = context
    windowsPerEpoch = max(1, (tokenCount - context) / context)
    // The last window ends at offset + W·C, which must be a token.
    offsets = min(context, tokenCount - windowsPerEpoch * context)
    stream = RandomStream(seed: seed, purpose: .dataOrder)
  }

  /// Throws `DatasetError.corpusTooShort` unless `tokenCount` tokens fill one window.
  public static func requireWindow(tokenCount: Int, context: Int) throws(DatasetError) {
    guard tokenCount > context else {
      throw .corpusTooShort(tokens: tokenCount, context: context)
    }
  }

  /// The first token of window `sample`, counted from the start of training over all epochs.
  public func start(ofSample sample: Int) -> Int {
    precondition(sample >= 0, "window \(sample)")
    let (epoch, index) = sample.quotientAndRemainder(dividingBy: windowsPerEpoch)
    let words = stream.block(UInt64(epoch))
    let offset = (UInt64(words.x) | UInt64(words.y) << 32) % UInt64(offsets)
    let permutation = KeyedPermutation(count: windowsPerEpoch, key: SIMD2(words.z, words.w))
    return Int(offset) + permutation(index) * context
  }
}
