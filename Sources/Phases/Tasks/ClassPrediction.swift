import Evaluation
import Monitoring
import Tensors

/// The predicted and the actual class of a text or of one of its words.
struct ClassPrediction: BitwiseCopyable, Sendable {
  /// The index of the text.
  let text: Int
  let predicted: Int32
  let actual: Int32
}

extension Tensor {
  /// Returns the index of the largest number in `row`; of several, the first.
  func indexOfLargest(inRow row: Int) -> Int32 {
    Int32(UnsafeBufferPointer(start: pointer + row * columns, count: columns).indexOfLargest)
  }
}

extension ClassificationQuality {
  init(_ predictions: [ClassPrediction], classes: Int) {
    self.init(
      predicted: predictions.map { Int($0.predicted) }, actual: predictions.map { Int($0.actual) },
      classes: classes)
  }

  /// Accuracy with its interval, and macro F1.
  var figures: [Figure] {
    Figure.bounded("accuracy", accuracy, in: interval) + [Figure("macroF1", macroF1)]
  }
}
