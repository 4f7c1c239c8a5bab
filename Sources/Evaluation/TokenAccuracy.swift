import Datasets
import Layers
import Models
import Tensors

/// Accuracy of the most likely token, and exact match of whole answers.
package struct TokenAccuracy: Sendable, Equatable {
  /// Number of targets with a weight other than 0.
  package var tokens = 0
  /// Number of those targets that are the most likely token.
  package var correct = 0
  /// Number of answers: runs of consecutive targets in the loss mask.
  package var answers = 0
  /// Number of answers whose tokens are all correct, which greedy decoding reproduces exactly.
  package var exact = 0

  package init() {}

  /// Counts the targets of `batch`, predicted from the hidden states `hidden`.
  package init(
    _ model: any LanguageModel, hidden: Tensor, _ batch: Batch, _ pass: ForwardPass
  ) {
    self.init()
    let positions = batch.weights.indices.filter { batch.weights[$0] != 0 }
    // 256 rows of logits at a time, as many as a training step keeps.
    for start in stride(from: 0, to: positions.count, by: 256) {
      let part = Array(positions[start..<min(positions.count, start + 256)])
      let logits = model.head(
        model.transform(hidden.rows(at: part), pass), fp32Output: true)
      for (row, position) in part.enumerated() {
        let scores = UnsafeBufferPointer(
          start: logits.pointer + row * logits.columns, count: logits.columns)
        let isCorrect = scores.indexOfLargest == Int(batch.targets[position])
        let continues = !batch.isFirst(position) && batch.weights[position - 1] != 0
        tokens += 1
        correct += isCorrect ? 1 : 0
        if continues {
          isExact = isExact && isCorrect
        } else {
          endAnswer()
          answers += 1
          isExact = isCorrect
        }
      }
    }
    endAnswer()
  }

  private var isExact = false

  private mutating func endAnswer() {
    if isExact { exact += 1 }
    isExact = false
  }
}

extension UnsafeBufferPointer<Float> {
  /// The index of the largest element; of several, the first.
  package var indexOfLargest: Int {
    var best = 0
    for index in indices where self[index] > self[best] { best = index }
    return best
  }
}
