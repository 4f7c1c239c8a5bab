import Glibc
import Tensors

/// Cross-entropy of whole sequences: classification.
public enum Classification {
  /// The sum of −log softmax(scores)[label] of the sequences.
  ///
  /// - Parameters:
  ///   - scores: [B, labels].
  ///   - labels: The right one of each.
  ///   - weights: A factor for each, 0 for one that does not count; nil for all 1.
  public static func loss(_ scores: Tensor, labels: [Int], weights: [Float]? = nil) -> Loss {
    let (rows, classes) = (scores.rows, scores.columns)
    precondition(
      labels.count == rows && weights.map { $0.count == rows } ?? true,
      "Classification: \(scores.shape) scores, \(labels.count) labels")
    var measures = Measures()
    let losses = scores.rowwise { row, scores, slopes in
      let weight = Double(weights?[row] ?? 1)
      guard weight != 0 else {
        slopes.update(repeating: 0)
        return 0
      }
      let label = labels[row]
      precondition((0..<classes).contains(label), "label \(label) of \(classes)")
      let top = scores.reduce(-Float.infinity) { max($0, $1) }
      let total = scores.reduce(0.0) { $0 + exp(Double($1) - Double(top)) }
      for (place, score) in scores.enumerated() {
        let share = exp(Double(score) - Double(top)) / total
        slopes[place] = Float(weight * (place == label ? share - 1 : share))
      }
      let loss = log(total) - (Double(scores[label]) - Double(top))
      measures.add(loss, to: .loss, weight: weight)
      measures.add(scores.firstIndex(of: top) == label ? 1 : 0, to: .accuracy)
      return Float(weight * loss)
    }
    return Loss(losses, count: weights.total(of: rows), measures: measures)
  }
}

/// Squared errors of whole sequences: regression.
public enum Regression {
  /// The sum of the sequences' mean squared errors.
  ///
  /// - Parameters:
  ///   - scores: [B, outputs].
  ///   - targets: As many, row by row.
  ///   - weights: A factor for each sequence, 0 for one that does not count; nil for all 1.
  public static func loss(_ scores: Tensor, targets: [Float], weights: [Float]? = nil) -> Loss {
    let (rows, outputs) = (scores.rows, scores.columns)
    precondition(
      targets.count == scores.count && weights.map { $0.count == rows } ?? true,
      "Regression: \(scores.shape) scores, \(targets.count) targets")
    var measures = Measures()
    let losses = scores.rowwise { row, scores, slopes in
      let weight = Double(weights?[row] ?? 1)
      guard weight != 0 else {
        slopes.update(repeating: 0)
        return 0
      }
      var loss = 0.0
      for (place, score) in scores.enumerated() {
        let error = Double(score) - Double(targets[row * outputs + place])
        loss += error * error / Double(outputs)
        slopes[place] = Float(weight * 2 * error / Double(outputs))
      }
      measures.add(loss, to: .loss, weight: weight)
      return Float(weight * loss)
    }
    return Loss(losses, count: weights.total(of: rows), measures: measures)
  }
}
