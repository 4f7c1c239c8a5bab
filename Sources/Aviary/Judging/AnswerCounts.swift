/// How well answers follow their instructions: counts alone, so that those of any number of ranks
/// can be added before anything is divided.
public struct AnswerCounts: Equatable, Sendable {
  /// How many answers there are.
  public var answers = 0
  /// How many keep every fact that their instruction names.
  public var followed = 0
  /// How many facts the instructions name.
  public var factsNamed = 0
  /// How many of those facts the answers keep.
  public var factsKept = 0
  /// How many answers end kindly.
  public var kind = 0
  /// How many answers are consistent stories.
  public var consistent = 0

  /// No answer yet.
  public init() {}

  /// Counts the answer to an instruction that names `facts`.
  public mutating func add(_ answer: String, to facts: NamedFacts) {
    let found = StoryChecker().find(in: answer)
    let (named, kept) = (facts.named.count, facts.kept(in: found.facts).count)
    answers += 1
    followed += kept == named ? 1 : 0
    factsNamed += named
    factsKept += kept
    kind += found.isKind ? 1 : 0
    consistent += found.isConsistent ? 1 : 0
  }

  /// The counts of both.
  public static func + (left: AnswerCounts, right: AnswerCounts) -> AnswerCounts {
    var sum = left
    sum.answers += right.answers
    sum.followed += right.followed
    sum.factsNamed += right.factsNamed
    sum.factsKept += right.factsKept
    sum.kind += right.kind
    sum.consistent += right.consistent
    return sum
  }
}
