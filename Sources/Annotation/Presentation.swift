import Files
import RandomNumbers

/// The order in which an annotator sees the pairs, and the sides of their answers.
///
/// Goals: order and earlier sides do not reveal the model of a side; order and sides differ between
/// annotators; both are functions of (seed, annotator, pair) alone, so that an annotator can resume on
/// any machine; the sides are balanced, so that a bias for the left does not favour a model.
struct Presentation: Sendable {
  private let seed: UInt64
  private let annotator: Int

  init(seed: UInt64, annotator: String) {
    self.seed = seed
    self.annotator = Int(truncatingIfNeeded: FNV1a(Array(annotator.utf8)).value)
  }

  /// Returns the key by which the pairs are sorted.
  func sortKey(ofPair id: String) -> UInt64 {
    let pair = Int(truncatingIfNeeded: UInt64(id, radix: 16) ?? FNV1a(Array(id.utf8)).value)
    let block = RandomStream(seed: seed, purpose: .annotation, annotator, pair).block(0)
    return UInt64(block.x) << 32 | UInt64(block.y)
  }

  /// Returns the place of the left answer of the pair that is stored as number `number`, from 0.
  ///
  /// Of the pairs 2k and 2k + 1, one has its first answer on the left and the other its second, decided
  /// by a random bit.
  func left(ofPair number: Int) -> Place {
    let bits = RandomStream(seed: seed, purpose: .annotation, annotator)
    let isSwapped = (bits.word(UInt64(number / 2)) & 1 == 1) != (number % 2 == 1)
    return isSwapped ? .second : .first
  }
}
