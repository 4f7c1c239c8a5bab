import Evaluation
import Monitoring

extension ClassificationQuality {
  /// Accuracy with its interval, and macro F1.
  var figures: [Figure] {
    [
      Figure("accuracy", accuracy),
      Figure("accuracyLow", interval.lowerBound, isDetail: true),
      Figure("accuracyHigh", interval.upperBound, isDetail: true),
      Figure("macroF1", macroF1),
    ]
  }
}
