/// The calibration of predicted probabilities: how close they are to the observed frequencies.
///
/// Predictions are sorted into bins of equal width. Each bin compares its mean prediction with the
/// fraction of its predictions that came true (Guo et al. 2017).
package struct Calibration: Sendable, Equatable {
  /// The predictions in one of the equal parts of 0…1.
  package struct Bin: Sendable, Equatable {
    /// Number of predictions in the bin.
    package let count: Int
    /// Mean predicted probability; nil for an empty bin.
    package let meanProbability: Double?
    /// Fraction of the predictions that came true; nil for an empty bin.
    package let fraction: Double?
  }

  /// The bins, from the lowest predictions to the highest.
  package let bins: [Bin]

  /// Sorts the predictions into bins: bin b holds those in (b/bins, (b+1)/bins], and bin 0 also
  /// holds 0.
  ///
  /// - Parameters:
  ///   - probabilities: Predictions, each in 0…1.
  ///   - outcomes: True for each prediction that came true.
  ///   - bins: Number of bins, at least 1.
  package init(_ probabilities: [Double], outcomes: [Bool], bins: Int = 10) {
    precondition(
      probabilities.count == outcomes.count,
      "\(probabilities.count) probabilities and \(outcomes.count) outcomes")
    precondition(bins >= 1, "\(bins) bins")
    var counts = [Int](repeating: 0, count: bins)
    var hits = counts
    var sums = [Double](repeating: 0, count: bins)
    for (probability, outcome) in zip(probabilities, outcomes) {
      precondition(probability >= 0 && probability <= 1, "a probability of \(probability)")
      let bin = max(0, min(bins, Int((probability * Double(bins)).rounded(.up))) - 1)
      counts[bin] += 1
      sums[bin] += probability
      if outcome { hits[bin] += 1 }
    }
    self.bins = (0..<bins).map { bin in
      let count = Double(counts[bin])
      return Bin(
        count: counts[bin], meanProbability: count > 0 ? sums[bin] / count : nil,
        fraction: count > 0 ? Double(hits[bin]) / count : nil)
    }
  }

  /// The expected calibration error; nil without predictions.
  ///
  /// The distance between the mean prediction and the fraction of each bin, averaged with the bins'
  /// counts as weights (Naeini et al. 2015).
  package var expectedError: Double? {
    let count = bins.reduce(0) { $0 + $1.count }
    return count == 0
      ? nil : bins.reduce(0) { $0 + Double($1.count) * $1.distance } / Double(count)
  }
}

extension Calibration.Bin {
  fileprivate var distance: Double {
    guard let meanProbability, let fraction else { return 0 }
    return abs(meanProbability - fraction)
  }
}
