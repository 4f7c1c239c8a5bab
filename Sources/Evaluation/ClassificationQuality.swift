import Statistics

/// How good a classifier is on labelled texts.
public struct ClassificationQuality: Sendable, Equatable {
  /// Share of texts with the right class.
  public let accuracy: Double
  /// The 95 % interval of that share (Wilson).
  public let interval: ClosedRange<Double>
  /// Mean over the classes of F1, the harmonic mean of precision and recall; a class that is neither
  /// there nor predicted is left out.
  public let macroF1: Double

  /// Of predicted and true classes, text by text; not empty.
  public init(predicted: [Int], actual: [Int], classes: Int) {
    precondition(predicted.count == actual.count && !actual.isEmpty, "no texts to judge by")
    let right = zip(predicted, actual).count { $0 == $1 }
    let share = Proportion(right, of: actual.count)
    accuracy = share.share ?? 0
    interval = share.wilsonInterval()
    let scores = (0..<classes).compactMap { name -> Double? in
      let hits = zip(predicted, actual).count { $0 == name && $1 == name }
      let both = predicted.count { $0 == name } + actual.count { $0 == name }
      return both == 0 ? nil : 2 * Double(hits) / Double(both)
    }
    macroF1 = scores.reduce(0, +) / Double(max(1, scores.count))
  }
}
