import RandomNumbers

/// A simulated annotator, who mostly prefers kind endings.
///
/// The annotator skips 3 % of the pairs. If exactly one ending is kind, the text with that ending
/// is better with probability 0.9. In all other cases two inconsistent texts are both bad, a
/// consistent text is better than an inconsistent one, and two consistent texts tie. An answer
/// depends on the seed, the annotator's name, the pair's name and the texts alone; swapping the
/// texts swaps the answer.
package struct Annotator: Sendable {
  /// An answer on two texts.
  package enum Answer: String, CaseIterable, Sendable {
    /// The first text is better.
    case first
    /// The second text is better.
    case second
    /// The texts are equally good.
    case tie
    /// Both texts are bad.
    case bothBad
    /// No answer.
    case skip
  }

  package let name: String
  private let seed: UInt64
  private let checker = StoryChecker()

  package init(_ name: String, seed: UInt64) {
    self.name = name
    self.seed = seed
  }

  /// Returns the answer on the pair of texts with the unique name `pair`.
  package func answer(on pair: String, first: String, second: String) -> Answer {
    let stream = RandomStream(
      seed: seed, purpose: .aviary, Self.key(of: name), Self.key(of: pair), 0)
    if stream.uniform(0) < 0.03 { return .skip }
    let (first, second) = (checker.analyze(first), checker.analyze(second))
    if first.isKind != second.isKind, stream.uniform(1) < 0.9 {
      return first.isKind ? .first : .second
    }
    if !first.isConsistent && !second.isConsistent { return .bothBad }
    let clashes = (first.contradictions.count, second.contradictions.count)
    return clashes.0 == clashes.1 ? .tie : clashes.0 < clashes.1 ? .first : .second
  }

  // FNV-1a, 64 bits.
  private static func key(of name: String) -> Int {
    let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
    }
    return Int(truncatingIfNeeded: hash)
  }
}
