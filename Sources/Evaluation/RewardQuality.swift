import Foundation
import Statistics

/// Quality measures of a reward model on held-out preference pairs, with the limits it must meet
/// before it may be used in reinforcement learning.
package struct RewardQuality: Sendable, Equatable, Codable {
  /// The scores and lengths of one preference pair.
  package struct Pair: BitwiseCopyable, Sendable {
    /// Scores of the chosen and the rejected completion.
    package var scores: (chosen: Double, rejected: Double)
    /// The scores when the two completions are swapped in the batch.
    package var swappedScores: (chosen: Double, rejected: Double)
    /// Lengths of the completions in tokens.
    package var lengths: (chosen: Double, rejected: Double)

    package init(
      scores: (chosen: Double, rejected: Double), swappedScores: (chosen: Double, rejected: Double),
      lengths: (chosen: Double, rejected: Double)
    ) {
      self.scores = scores
      self.swappedScores = swappedScores
      self.lengths = lengths
    }
  }

  /// Number of pairs.
  package let pairs: Int
  /// Fraction of pairs whose chosen completion has the higher score; a tie counts one half.
  package let accuracy: Double
  /// The lower and upper end of the 95 % Wilson interval of the accuracy.
  package let interval: [Double]
  /// Mean of the chosen score minus the rejected score.
  package let margin: Double
  /// Expected calibration error of σ(chosen score − rejected score) as the probability that the
  /// chosen completion is preferred, over ten bins.
  package let calibrationError: Double
  /// Pearson's correlation of score and length over all completions; nil where one of them is
  /// constant.
  package let lengthCorrelation: Double?
  /// Pearson's correlation of length and being chosen: the length bias of the annotators
  /// themselves.
  package let judgesLengthCorrelation: Double?
  /// Fraction of pairs whose order by score is unchanged when the completions are swapped.
  package let swapAgreement: Double

  /// Computes the measures of `pairs`, which are not empty.
  package init(_ pairs: [Pair]) {
    precondition(!pairs.isEmpty, "the quality of a reward model over no pairs")
    self.pairs = pairs.count
    let leads = pairs.map { $0.scores.chosen - $0.scores.rejected }
    let wins = Proportion(leads.reduce(0) { $0 + RewardQuality.win($1) }, of: pairs.count)
    accuracy = wins.fraction ?? 0
    let bounds = wins.wilsonInterval()
    interval = [bounds.lowerBound, bounds.upperBound]
    margin = leads.reduce(0, +) / Double(pairs.count)
    // Each pair counts from both sides, as a probability p that came true and as 1 − p that did
    // not.
    let probabilities = leads.map { 1 / (1 + exp(-$0)) }
    calibrationError =
      Calibration(
        probabilities + probabilities.map { 1 - $0 },
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

// The limits that a reward model must meet for reinforcement learning, in the order of the checks.
extension RewardQuality {
  /// Least number of pairs: with fewer, the measures are too uncertain.
  package static let minPairs = 50
  /// The lower end of the accuracy's interval must exceed this, the accuracy of a random choice.
  package static let minAccuracy = 0.5
  /// Largest difference between `lengthCorrelation` and `judgesLengthCorrelation`, in either
  /// direction.
  package static let maxLengthBias = 0.3
  /// Largest `calibrationError`.
  package static let maxCalibrationError = 0.2
  /// Least `swapAgreement`.
  package static let minSwapAgreement = 0.98

  /// The reasons why the model is not fit for reinforcement learning, one clause each; empty when
  /// it is fit.
  package var objections: [String] {
    var objections: [String] = []
    let percent = { (fraction: Double) in "\(Int((fraction * 100).rounded())) %" }
    if pairs < RewardQuality.minPairs {
      objections.append(
        "\(pairs == 1 ? "1 held-out pair is" : "\(pairs) held-out pairs are") too few to measure "
          + "its quality: hold out at least \(RewardQuality.minPairs)")
    }
    if interval[0] <= RewardQuality.minAccuracy {
      objections.append(
        "its accuracy is not significantly better than chance: it orders \(percent(accuracy)) of "
          + "the held-out pairs correctly, and the lower end of its 95 % interval, "
          + "\(percent(interval[0]))–\(percent(interval[1])), is not above "
          + "\(percent(RewardQuality.minAccuracy)): annotate more pairs, train longer, or check "
          + "that the annotators agree")
    }
    // Over the completions of fewer pairs, chance alone gives correlations and calibration errors
    // above the limits. From `minPairs` on, the 95 % interval of such a bias (by Fisher's z, of two
    // correlations over 100 completions) excludes 0.
    let isMeasured = pairs >= RewardQuality.minPairs
    let bias = (lengthCorrelation ?? 0) - (judgesLengthCorrelation ?? 0)
    if isMeasured, abs(bias) > RewardQuality.maxLengthBias {
      objections.append(
        "it rewards \(bias > 0 ? "length" : "brevity"): the correlation with length is "
          + "\(RewardQuality.rounded(lengthCorrelation ?? 0)) for its scores and "
          + "\(RewardQuality.rounded(judgesLengthCorrelation ?? 0)) for the annotators' choices: "
          + "balance the lengths of the pairs"
      )
    }
    if isMeasured, calibrationError > RewardQuality.maxCalibrationError {
      objections.append(
        "its scores are badly calibrated: the expected calibration error of their differences is "
          + "\(RewardQuality.rounded(calibrationError)), above "
          + "\(RewardQuality.maxCalibrationError): train fewer epochs or use centring")
    }
    if swapAgreement < RewardQuality.minSwapAgreement {
      objections.append(
        "its scores depend on the position in the batch: swapping the completions changes the "
          + "order of \(percent(1 - swapAgreement)) of the pairs")
    }
    return objections
  }

  private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
