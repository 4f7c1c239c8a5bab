import Datasets
import RandomNumbers

/// In which order, and on which sides, an annotator is shown the pairs.
///
/// Goals: nobody can tell a side's model from the order or from earlier sides; every annotator has an
/// order and sides of their own; both are functions of (seed, annotator, pair) alone, so that one who
/// comes back goes on where they stopped, on any machine; the sides are balanced, so that somebody who
/// prefers the left says nothing about the models.
struct Presentation: Sendable {
  private let seed: UInt64
  private let annotator: Int

  init(seed: UInt64, annotator: String) {
    self.seed = seed
    self.annotator = Int(truncatingIfNeeded: FNV1a(Array(annotator.utf8)).value)
  }

  /// What the pairs are sorted by.
  func rank(ofPair id: String) -> UInt64 {
    let pair = Int(truncatingIfNeeded: UInt64(id, radix: 16) ?? FNV1a(Array(id.utf8)).value)
    let block = RandomStream(seed: seed, purpose: .annotation, annotator, pair).block(0)
    return UInt64(block.x) << 32 | UInt64(block.y)
  }

  /// Which answer stands on the left in the pair that was kept as number `number`, from 0.
  ///
  /// Of the pairs 2k and 2k + 1 one has its first answer there and the other its second; a coin
  /// decides which.
  func left(ofPair number: Int) -> Place {
    let coins = RandomStream(seed: seed, purpose: .annotation, annotator)
    let isTurned = (coins.word(UInt64(number / 2)) & 1 == 1) != (number % 2 == 1)
    return isTurned ? .second : .first
  }
}
