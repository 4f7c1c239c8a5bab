/// The votes of all annotators on a pair.
struct Votes: Sendable, Hashable {
  var first = 0
  var second = 0
  var tie = 0
  var bothBad = 0

  /// The number of votes; a skip is not a vote.
  var count: Int { first + second + tie + bothBad }

  mutating func add(_ verdict: Verdict) {
    switch verdict {
    case .first: first += 1
    case .second: second += 1
    case .tie: tie += 1
    case .bothBad: bothBad += 1
    case .skip: break
    }
  }

  /// The place of the answer with more votes; nil for a tie, or when more than half are "both bad".
  var better: Place? {
    guard first != second, !areBothBad else { return nil }
    return first > second ? .first : .second
  }

  /// True when more than half of the votes are "both bad".
  var areBothBad: Bool { 2 * bothBad > count }

  /// The margin of the better answer: the difference of votes as a fraction of all votes, in [0, 1].
  var margin: Double { count == 0 ? 0 : Double(abs(first - second)) / Double(count) }

  /// The fraction of the pair's vote for the first answer, in [0, 1]; votes without a preference give
  /// half to each answer.
  var voteForFirst: Double {
    count == 0 ? 0.5 : (Double(first) + Double(tie + bothBad) / 2) / Double(count)
  }

  /// Returns the votes on each judged pair, by the pair's id.
  static func byPair(_ judgements: [Judgement]) -> [String: Votes] {
    var votes: [String: Votes] = [:]
    for judgement in judgements where judgement.verdict != .skip {
      votes[judgement.pair, default: Votes()].add(judgement.verdict)
    }
    return votes
  }
}
