/// Whether predicted probabilities come true as often as they say.
///
/// Predictions are sorted into bins of equal width; in each, the mean prediction is held against the
/// share that came true (Guo and others 2017).
public struct Calibration: Sendable, Equatable {
  /// The predictions of one part of 0…1.
  public struct Bin: Sendable, Equatable {
    /// Predictions in it.
    public let count: Int
    /// Their mean; nil for an empty bin.
    public let meanProbability: Double?
    /// The share of them that came true; nil for an empty bin.
    public let share: Double?
  }

  /// From the lowest predictions to the highest.
  public let bins: [Bin]

  /// Bin b of `bins` has the predictions in (b/bins, (b+1)/bins]; 0 is in the first.
  ///
  /// - Parameters:
  ///   - probabilities: Predictions, each in 0…1.
  ///   - outcomes: Whether each came true.
  public init(_ probabilities: [Double], outcomes: [Bool], bins: Int = 10) {
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
        share: count > 0 ? Double(hits[bin]) / count : nil)
    }
  }

  /// The expected calibration error: the distance between prediction and share, averaged over all
  /// predictions (Naeini and others 2015); nil without any.
  public var expectedError: Double? {
    let count = bins.reduce(0) { $0 + $1.count }
    return count == 0
      ? nil : bins.reduce(0) { $0 + Double($1.count) * $1.distance } / Double(count)
  }

  /// The largest distance in a bin; nil without predictions.
  public var maximumError: Double? {
    bins.contains { $0.count > 0 } ? bins.reduce(0) { max($0, $1.distance) } : nil
  }
}

extension Calibration.Bin {
  fileprivate var distance: Double {
    guard let meanProbability, let share else { return 0 }
    return abs(meanProbability - share)
  }
}
