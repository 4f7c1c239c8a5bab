import Statistics

/// A summary of judgements: the answers of each annotator, their agreement, and the win rates of the
/// sources.
package struct JudgementReport: Sendable {
  /// The numbers of answers of one annotator.
  package struct Annotator: Sendable, Hashable {
    package let name: String
    /// Preferences for the answer on the left.
    package var left = 0
    /// Preferences for the answer on the right.
    package var right = 0
    /// Preferences whose sides are not known.
    package var unknownSide = 0
    /// Ties.
    package var tie = 0
    /// Pairs of which neither answer is of use.
    package var bothBad = 0
    /// Pairs without a judgement.
    package var skip = 0

    /// The number of all answers.
    package var count: Int { left + right + unknownSide + tie + bothBad + skip }
    /// The fraction of left answers among the preferences with known sides.
    package var leftFraction: Proportion { Proportion(left, of: left + right) }
  }

  /// The annotators' agreement beyond chance, without skipped pairs.
  package struct Agreement: Sendable, Hashable {
    /// The number of pairs that at least two annotators judged.
    package let shared: Int
    /// The number of pairs that at least one annotator judged.
    package let judged: Int
    /// Cohen's kappa of two annotators, Fleiss' kappa of more; nil when undefined.
    package let kappa: Double?
    /// True when `kappa` is Fleiss' kappa.
    package let isFleiss: Bool
  }

  /// The rate at which the answers of one source were better than those of others.
  ///
  /// The pairs are the trials: each pair has one vote, divided equally between its annotators, and an
  /// annotator without a preference gives half to each answer.
  package struct WinRate: Sendable, Equatable {
    package let source: String
    /// The votes won, of all votes.
    package let rate: Proportion
    /// The number of pairs won: those with more votes than the other answer.
    package let wins: Int
    /// The number of pairs lost.
    package let losses: Int
    /// The two-sided p-value of wins and losses under the hypothesis that both are equally good.
    package var pValue: Double { BinomialTest.pValue(successes: wins, trials: wins + losses) }
  }

  /// The number of pairs.
  package let pairs: Int
  /// The annotators, sorted by name.
  package let annotators: [Annotator]
  /// The agreement; nil with fewer than two annotators.
  package let agreement: Agreement?
  /// The win rates, sorted by source; empty when no pair has two sources.
  package let winRates: [WinRate]

  /// The fraction of left answers among all preferences with known sides.
  package var leftFraction: Proportion {
    let left = annotators.reduce(0) { $0 + $1.left }
    return Proportion(left, of: annotators.reduce(left) { $0 + $1.right })
  }

  package init(pairs: [StoredPair], judgements: [Judgement]) {
    self.pairs = pairs.count
    var byName: [String: Annotator] = [:]
    for judgement in judgements {
      byName[judgement.annotator, default: Annotator(name: judgement.annotator)].add(judgement)
    }
    annotators = byName.values.sorted { $0.name < $1.name }
    agreement = Self.agreement(pairs, judgements)
    winRates = Self.winRates(pairs, Votes.byPair(judgements))
  }

  private static func agreement(
    _ pairs: [StoredPair], _ judgements: [Judgement]
  ) -> Agreement? {
    let judgements = judgements.filter { $0.verdict != .skip }
    let names = Set(judgements.map(\.annotator)).sorted()
    guard names.count >= 2 else { return nil }
    let byPair = Dictionary(grouping: judgements, by: \.pair)
    // In the order of the pairs, because floating-point sums depend on the order.
    let verdicts = pairs.compactMap { byPair[$0.id] }
    let shared = verdicts.filter { $0.count >= 2 }
    let kappa: Double?
    if names.count == 2 {
      let labels = names.map { name in
        shared.flatMap { $0.filter { $0.annotator == name } }.map(\.verdict)
      }
      kappa = Kappa.cohen(labels[0], labels[1])
    } else {
      kappa = Kappa.fleiss(
        shared.map { judgements in
          [Verdict.first, .second, .tie, .bothBad].map { verdict in
            judgements.count { $0.verdict == verdict }
          }
        })
    }
    return Agreement(
      shared: shared.count, judged: verdicts.count, kappa: kappa, isFleiss: names.count > 2)
  }

  private static func winRates(_ pairs: [StoredPair], _ votes: [String: Votes]) -> [WinRate] {
    struct Tally { var (vote, pairs, wins, losses) = (0.0, 0, 0, 0) }
    var tallies: [String: Tally] = [:]
    for stored in pairs {
      guard let votes = votes[stored.id], let first = stored.pair.first.source,
        let second = stored.pair.second.source, first != second
      else { continue }
      for (source, place, vote) in [
        (first, Place.first, votes.voteForFirst), (second, .second, 1 - votes.voteForFirst),
      ] {
        var tally = tallies[source, default: Tally()]
        tally.vote += vote
        tally.pairs += 1
        if let better = votes.better { better == place ? (tally.wins += 1) : (tally.losses += 1) }
        tallies[source] = tally
      }
    }
    return tallies.map { source, tally in
      WinRate(
        source: source,
        rate: Proportion(min(tally.vote, Double(tally.pairs)), of: tally.pairs),
        wins: tally.wins, losses: tally.losses)
    }
    .sorted { $0.source < $1.source }
  }
}

extension JudgementReport.Annotator {
  fileprivate mutating func add(_ judgement: Judgement) {
    switch judgement.verdict {
    case .first, .second:
      switch judgement.left {
      case nil: unknownSide += 1
      case judgement.verdict.better: left += 1
      default: right += 1
      }
    case .tie: tie += 1
    case .bothBad: bothBad += 1
    case .skip: skip += 1
    }
  }
}
