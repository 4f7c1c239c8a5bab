import RandomNumbers

/// A simulated annotator, who mostly finds the kind ending better.
///
/// Annotators agree as far as each follows the rule: nine times in ten the ending decides, where one
/// is kind and the other is not; otherwise the text that contradicts itself less is better, and texts
/// of which neither holds together are both bad. Three in a hundred pairs are skipped. An answer
/// depends on seed, name and pair alone, and turns with the order of the texts.
public struct Annotator: Sendable {
  /// What an annotator can say of two texts.
  public enum Answer: String, CaseIterable, Sendable {
    /// The first text is better.
    case first
    /// The second text is better.
    case second
    /// Neither is better than the other.
    case tie
    /// Neither is any good.
    case bothBad
    /// No answer.
    case skip
  }

  /// Who it is.
  public let name: String
  private let seed: UInt64
  private let checker = StoryChecker()

  /// The annotator called `name`, under `seed`.
  public init(_ name: String, seed: UInt64) {
    self.name = name
    self.seed = seed
  }

  /// The answer on the pair called `pair`, a name that no other pair has.
  public func answer(on pair: String, first: String, second: String) -> Answer {
    let stream = RandomStream(
      seed: seed, purpose: .aviary, Self.key(of: name), Self.key(of: pair), 0)
    if stream.uniform(0) < 0.03 { return .skip }
    let (first, second) = (checker.find(in: first), checker.find(in: second))
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
