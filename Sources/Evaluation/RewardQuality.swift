import Foundation
import Statistics

/// How good a reward model is on pairs that it was not trained on, and whether it may teach another.
public struct RewardQuality: Sendable, Equatable, Codable {
  /// One pair: the scores of its answers, and their tokens.
  public struct Pair: Sendable, Equatable {
    /// Scores of the chosen and the rejected answer.
    public var scores: (chosen: Double, rejected: Double)
    /// The same scores with the answers in each other's place in the batch.
    public var swappedScores: (chosen: Double, rejected: Double)
    /// Tokens of the answers.
    public var lengths: (chosen: Double, rejected: Double)

    /// See the properties.
    public init(
      scores: (chosen: Double, rejected: Double), swappedScores: (chosen: Double, rejected: Double),
      lengths: (chosen: Double, rejected: Double)
    ) {
      self.scores = scores
      self.swappedScores = swappedScores
      self.lengths = lengths
    }

    /// Equal numbers.
    public static func == (a: Pair, b: Pair) -> Bool {
      a.scores == b.scores && a.swappedScores == b.swappedScores && a.lengths == b.lengths
    }
  }

  /// Pairs that were looked at.
  public let pairs: Int
  /// Share of pairs whose chosen answer has the higher score; a tie counts half.
  public let accuracy: Double
  /// The 95 % interval of that share (Wilson).
  public let interval: [Double]
  /// Mean of the chosen score less the rejected one.
  public let margin: Double
  /// Mean distance of σ(difference) from the share it promises, over ten bins.
  public let calibrationError: Double
  /// Pearson's correlation of score and length over all answers; nil where one of them is constant.
  public let lengthCorrelation: Double?
  /// The same of length and being chosen: what of it the judges themselves show.
  public let judgesLengthCorrelation: Double?
  /// Share of pairs that are ordered alike when the answers change places.
  public let swapAgreement: Double

  /// The figures of `pairs`, which are not empty.
  public init(_ pairs: [Pair]) {
    precondition(!pairs.isEmpty, "the quality of a reward model over no pairs")
    self.pairs = pairs.count
    let leads = pairs.map { $0.scores.chosen - $0.scores.rejected }
    let wins = Proportion(leads.reduce(0) { $0 + RewardQuality.win($1) }, of: pairs.count)
    accuracy = wins.share ?? 0
    let bounds = wins.wilsonInterval()
    interval = [bounds.lowerBound, bounds.upperBound]
    margin = leads.reduce(0, +) / Double(pairs.count)
    // Every pair from both sides: a model that says 0.9 is right in nine of ten.
    let promises = leads.map { 1 / (1 + exp(-$0)) }
    calibrationError =
      Calibration(
        promises + promises.map { 1 - $0 },
        outcomes: leads.map { _ in true } + leads.map { _ in false }
      ).expectedError ?? 0
    let lengths = pairs.map(\.lengths.chosen) + pairs.map(\.lengths.rejected)
    lengthCorrelation = Correlation.pearson(
      pairs.map(\.scores.chosen) + pairs.map(\.scores.rejected), lengths)
    judgesLengthCorrelation = Correlation.pearson(
      pairs.map { _ in 1 } + pairs.map { _ in 0 }, lengths)
    let agreeing = pairs.count {
      let swapped = $0.swappedScores.chosen - $0.swappedScores.rejected
      return RewardQuality.win($0.scores.chosen - $0.scores.rejected) == RewardQuality.win(swapped)
    }
    swapAgreement = Double(agreeing) / Double(pairs.count)
  }

  private static func win(_ lead: Double) -> Double { lead > 0 ? 1 : lead == 0 ? 0.5 : 0 }
}

/// Limits of what is fit for reinforcement learning, in the order in which they are looked at.
extension RewardQuality {
  /// Fewer pairs say nothing.
  public static let fewestPairs = 50
  /// The lower end of the accuracy's interval must lie above a coin's.
  public static let leastAccuracy = 0.5
  /// How much more a score may follow length, or brevity, than the judges do.
  public static let mostLengthBias = 0.3
  /// How far a promise may lie from what comes of it.
  public static let mostCalibrationError = 0.2
  /// How many pairs must keep their order when their answers change places.
  public static let leastSwapAgreement = 0.98

  /// Why the model is not fit for reinforcement learning, a sentence each; empty when it is.
  public var objections: [String] {
    var objections: [String] = []
    let percent = { (share: Double) in "\(Int((share * 100).rounded())) %" }
    if pairs < RewardQuality.fewestPairs {
      objections.append(
        "\(pairs) held-out pairs are too few to judge by: hold out at least "
          + "\(RewardQuality.fewestPairs)")
    }
    if interval[0] <= RewardQuality.leastAccuracy {
      objections.append(
        "it cannot be told from a coin: \(percent(accuracy)) of the held-out pairs are right, and "
          + "the interval of that share, \(percent(interval[0]))–\(percent(interval[1])), reaches "
          + "down to \(percent(RewardQuality.leastAccuracy)): judge more pairs, train longer, or look "
          + "at whether the judges agree")
    }
    let bias = (lengthCorrelation ?? 0) - (judgesLengthCorrelation ?? 0)
    if abs(bias) > RewardQuality.mostLengthBias {
      objections.append(
        "it rewards \(bias > 0 ? "length" : "brevity"): its score follows the length with a correlation of "
          + "\(RewardQuality.rounded(lengthCorrelation ?? 0)), the judges' choice with "
          + "\(RewardQuality.rounded(judgesLengthCorrelation ?? 0)): balance the lengths of the pairs"
      )
    }
    if calibrationError > RewardQuality.mostCalibrationError {
      objections.append(
        "its scores promise too much: \(RewardQuality.rounded(calibrationError)) between what a "
          + "difference promises and what comes of it: train fewer epochs or use centring")
    }
    if swapAgreement < RewardQuality.leastSwapAgreement {
      objections.append(
        "its order depends on the place of an answer in \(percent(1 - swapAgreement)) of the pairs")
    }
    return objections
  }

  private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
