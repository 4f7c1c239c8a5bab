import Glibc
import Tensors

/// The cross-entropy loss of sequence classification.
package enum Classification {
  /// Returns the sum over sequences of −log softmax(scores)[label].
  ///
  /// - Parameters:
  ///   - scores: The logits, [B, labels].
  ///   - labels: The right label of each sequence, [B].
  ///   - weights: The weight of each sequence, [B], 0 for a masked one; nil for 1.
  package static func loss(_ scores: Tensor, labels: [Int], weights: [Float]? = nil) -> Loss {
    let (rows, classes) = (scores.rows, scores.columns)
    precondition(
      labels.count == rows && weights.map { $0.count == rows } ?? true,
      "Classification: \(scores.shape) scores, \(labels.count) labels")
    return Loss(rowsOf: scores, weights: weights) { row, scores, gradient, weight, measures in
      let label = labels[row]
      precondition((0..<classes).contains(label), "label \(label) of \(classes)")
      let top = scores.reduce(-Float.infinity) { max($0, $1) }
      let total = scores.reduce(0.0) { $0 + exp(Double($1) - Double(top)) }
      for (place, score) in scores.enumerated() {
        let probability = exp(Double(score) - Double(top)) / total
        gradient[place] = Float(weight * (place == label ? probability - 1 : probability))
      }
      measures.add(scores.firstIndex(of: top) == label ? 1 : 0, to: .accuracy)
      return log(total) - (Double(scores[label]) - Double(top))
    }
  }
}

/// The mean squared error of sequence regression.
package enum Regression {
  /// Returns the sum over sequences of the mean squared error over outputs.
  ///
  /// - Parameters:
  ///   - scores: [B, outputs].
  ///   - targets: [B · outputs], row by row.
  ///   - weights: The weight of each sequence, [B], 0 for a masked one; nil for 1.
  package static func loss(_ scores: Tensor, targets: [Float], weights: [Float]? = nil) -> Loss {
    let (rows, outputs) = (scores.rows, scores.columns)
    precondition(
      targets.count == scores.count && weights.map { $0.count == rows } ?? true,
      "Regression: \(scores.shape) scores, \(targets.count) targets")
    return Loss(rowsOf: scores, weights: weights) { row, scores, gradient, weight, _ in
      var loss = 0.0
      for (place, score) in scores.enumerated() {
        let error = Double(score) - Double(targets[row * outputs + place])
        loss += error * error / Double(outputs)
        gradient[place] = Float(weight * 2 * error / Double(outputs))
      }
      return loss
    }
  }
}
