import Statistics

/// What the judgements come to: who said what, how far annotators agree, which model wins.
public struct JudgementReport: Sendable {
  /// The answers of one annotator.
  public struct Annotator: Sendable, Hashable {
    /// The annotator.
    public let name: String
    /// Preferences for the answer on the left.
    public var left = 0
    /// Preferences for the answer on the right.
    public var right = 0
    /// Preferences of which the sides are not known.
    public var sideless = 0
    /// Ties.
    public var tie = 0
    /// Pairs of which neither answer is of use.
    public var bothBad = 0
    /// Pairs without a judgement.
    public var skip = 0

    /// All of them.
    public var count: Int { left + right + sideless + tie + bothBad + skip }
    /// The share of the left among the preferences with known sides.
    public var leftShare: Proportion { Proportion(left, of: left + right) }
  }

  /// How far the annotators agree beyond chance, skipped pairs left out.
  public struct Agreement: Sendable, Hashable {
    /// Pairs that at least two judged.
    public let shared: Int
    /// Pairs that anybody judged.
    public let judged: Int
    /// Cohen's kappa of two annotators, Fleiss' of more; nil where it is not defined.
    public let kappa: Double?
    /// Whether it is Fleiss'.
    public let isFleiss: Bool
  }

  /// How often the answers of one source were better than those of others.
  ///
  /// The pairs are the trials: the annotators of a pair share its vote, and who sees no better answer
  /// gives half to each.
  public struct WinRate: Sendable, Equatable {
    /// The source.
    public let source: String
    /// The votes won.
    public let rate: Proportion
    /// Pairs that it won, with more votes than the other answer.
    public let wins: Int
    /// Pairs that it lost.
    public let losses: Int
    /// The probability of a balance this far from even, or farther, if both were equally good.
    public var pValue: Double { BinomialTest.pValue(successes: wins, trials: wins + losses) }
  }

  /// How many pairs there are.
  public let pairs: Int
  /// By name.
  public let annotators: [Annotator]
  /// Nil with fewer than two annotators.
  public let agreement: Agreement?
  /// By name; empty where no pair has two sources.
  public let winRates: [WinRate]

  /// The share of the left among all preferences with known sides.
  public var leftShare: Proportion {
    let left = annotators.reduce(0) { $0 + $1.left }
    return Proportion(left, of: annotators.reduce(left) { $0 + $1.right })
  }

  /// The report on `judgements` of `pairs`.
  public init(pairs: [StoredPair], judgements: [Judgement]) {
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
    // In the order of the pairs: sums of fractions depend on it.
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
    struct Tally { var (share, pairs, wins, losses) = (0.0, 0, 0, 0) }
    var tallies: [String: Tally] = [:]
    for stored in pairs {
      guard let votes = votes[stored.id], let first = stored.pair.first.source,
        let second = stored.pair.second.source, first != second
      else { continue }
      for (source, place, share) in [
        (first, Place.first, votes.shareOfFirst), (second, .second, 1 - votes.shareOfFirst),
      ] {
        var tally = tallies[source, default: Tally()]
        tally.share += share
        tally.pairs += 1
        if let better = votes.better { better == place ? (tally.wins += 1) : (tally.losses += 1) }
        tallies[source] = tally
      }
    }
    return tallies.map { source, tally in
      WinRate(
        source: source,
        rate: Proportion(min(tally.share, Double(tally.pairs)), of: tally.pairs),
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
      case nil: sideless += 1
      case judgement.verdict.better: left += 1
      default: right += 1
      }
    case .tie: tie += 1
    case .bothBad: bothBad += 1
    case .skip: skip += 1
    }
  }
}
