// "Losses and quality measures of models. Returns tallies; never divides across ranks itself."

import Statistics

/// Accuracy and macro F1 of a classifier on labelled texts.
package struct ClassificationQuality: Sendable, Equatable {
  /// Fraction of texts whose predicted class is correct.
  package let accuracy: Double
  /// The 95 % Wilson interval of the accuracy.
  package let interval: ClosedRange<Double>
  /// Mean of F1 over the classes, where F1 is the harmonic mean of precision and recall.
  ///
  /// Classes that occur neither among the labels nor among the predictions are left out.
  package let macroF1: Double

  /// Computes the measures of predictions.
  ///
  /// - Parameters:
  ///   - predicted: The predicted class of each text, in 0..<`classes`; not empty.
  ///   - actual: The true class of each text, in 0..<`classes`.
  ///   - classes: Number of classes.
  package init(predicted: [Int], actual: [Int], classes: Int) {
    precondition(
      predicted.count == actual.count && !actual.isEmpty,
      "\(predicted.count) predictions for \(actual.count) texts")
    let correct = zip(predicted, actual).count { $0 == $1 }
    let proportion = Proportion(correct, of: actual.count)
    accuracy = proportion.fraction ?? 0
    interval = proportion.wilsonInterval()
    let scores = (0..<classes).compactMap { label -> Double? in
      let hits = zip(predicted, actual).count { $0 == label && $1 == label }
      let both = predicted.count { $0 == label } + actual.count { $0 == label }
      return both == 0 ? nil : 2 * Double(hits) / Double(both)
    }
    macroF1 = scores.reduce(0, +) / Double(max(1, scores.count))
  }
}
