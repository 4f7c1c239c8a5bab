import RandomNumbers

/// The order in which training visits `count` items: a new keyed permutation in every epoch.
///
/// The key of epoch e's permutation is two words of block e of the stream (seed, `.dataOrder`).
package struct ExampleOrder: Sendable {
  /// The number of items, which is the length of an epoch.
  package let count: Int
  private let stream: RandomStream

  /// Creates the order under `seed` of `count` items, at least one.
  package init(count: Int, seed: UInt64) {
    precondition(count >= 1, "an order of \(count) items")
    self.count = count
    stream = RandomStream(seed: seed, purpose: .dataOrder)
  }

  /// Returns the item at position `sample`, counted from the start of training, and its epoch.
  package func callAsFunction(_ sample: Int) -> (index: Int, epoch: Int) {
    precondition(sample >= 0, "sample \(sample)")
    let (epoch, index) = sample.quotientAndRemainder(dividingBy: count)
    let words = stream.block(UInt64(epoch))
    let permutation = KeyedPermutation(count: count, key: SIMD2(words.z, words.w))
    return (permutation(index), epoch)
  }
}
