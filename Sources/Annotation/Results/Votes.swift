/// What all annotators of a pair say together.
struct Votes: Sendable, Hashable {
  var first = 0
  var second = 0
  var tie = 0
  var bothBad = 0

  /// How many there are; who skipped has no vote.
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

  /// The better answer: the one with more votes, unless more than half say that both are bad.
  var better: Place? {
    guard first != second, !areBothBad else { return nil }
    return first > second ? .first : .second
  }

  /// Whether more than half say that both are bad.
  var areBothBad: Bool { 2 * bothBad > count }

  /// By how much the better answer leads: the difference of votes, as a share of all.
  var margin: Double { count == 0 ? 0 : Double(abs(first - second)) / Double(count) }

  /// The share of the vote that goes to the first answer; who has no better one gives half to each.
  var shareOfFirst: Double {
    count == 0 ? 0.5 : (Double(first) + Double(tie + bothBad) / 2) / Double(count)
  }

  /// The votes on every pair that has some, by its id.
  static func byPair(_ judgements: [Judgement]) -> [String: Votes] {
    var votes: [String: Votes] = [:]
    for judgement in judgements where judgement.verdict != .skip {
      votes[judgement.pair, default: Votes()].add(judgement.verdict)
    }
    return votes
  }
}
