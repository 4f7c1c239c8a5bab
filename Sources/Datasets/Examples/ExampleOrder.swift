import RandomNumbers

/// Which of so many things is the n-th that training sees: a new keyed permutation in every epoch.
///
/// The numbers of epoch e are block e of the stream (seed, `.dataOrder`), of which two words are the
/// key of the permutation.
public struct ExampleOrder: Sendable {
  /// How many things there are, and so the length of an epoch.
  public let count: Int
  private let stream: RandomStream

  /// The order under `seed` of `count` things, one at least.
  public init(count: Int, seed: UInt64) {
    precondition(count >= 1, "an order of \(count) things")
    self.count = count
    stream = RandomStream(seed: seed, purpose: .dataOrder)
  }

  /// The thing that is number `sample`, counted from the start of training, and its epoch.
  public func callAsFunction(_ sample: Int) -> (index: Int, epoch: Int) {
    precondition(sample >= 0, "sample \(sample)")
    let (epoch, index) = sample.quotientAndRemainder(dividingBy: count)
    let words = stream.block(UInt64(epoch))
    let permutation = KeyedPermutation(count: count, key: SIMD2(words.z, words.w))
    return (permutation(index), epoch)
  }
}
