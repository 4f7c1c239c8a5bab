import Glibc
import Tensors

/// The cross-entropy loss of sequence classification.
package enum Classification {
  /// Returns the sum over sequences of −log softmax(scores)[label].
  ///
  /// - Parameters:
  ///   - scores: The logits, [B, labels].
  ///   - labels: The right label of each sequence, [B].
  package static func loss(_ scores: Tensor, labels: [Int]) -> Loss {
    let (rows, classes) = (scores.rows, scores.columns)
    precondition(
      labels.count == rows,
      "Classification: \(scores.shape) scores, \(labels.count) labels")
    return Loss(rowsOf: scores) { row, scores, gradient, measures in
      let label = labels[row]
      precondition((0..<classes).contains(label), "label \(label) of \(classes)")
      let top = scores.reduce(-Float.infinity) { max($0, $1) }
      let total = scores.reduce(0.0) { $0 + exp(Double($1) - Double(top)) }
      for (place, score) in scores.enumerated() {
        let probability = exp(Double(score) - Double(top)) / total
        gradient[place] = Float(place == label ? probability - 1 : probability)
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
  package static func loss(_ scores: Tensor, targets: [Float]) -> Loss {
    let outputs = scores.columns
    precondition(
      targets.count == scores.count,
      "Regression: \(scores.shape) scores, \(targets.count) targets")
    return Loss(rowsOf: scores) { row, scores, gradient, _ in
      var loss = 0.0
      for (place, score) in scores.enumerated() {
        let error = Double(score) - Double(targets[row * outputs + place])
        loss += error * error / Double(outputs)
        gradient[place] = Float(2 * error / Double(outputs))
      }
      return loss
    }
  }
}
