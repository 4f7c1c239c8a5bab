// "What each phase minimises. Losses and their derivatives; no text, no messages, no data on disk."

import Tensors

/// The loss of one micro-batch: a sum, and the count to divide it by.
///
/// The sums and counts of all micro-batches are added before the single division, so an objective
/// never divides by its own count.
package struct Loss {
  /// The sum of the weighted losses, a scalar; recorded on the tape if the workspace records.
  package let sum: Tensor
  /// The sum in fp64, for reports.
  package let total: Double
  /// The sum of the weights; the total sum is divided by the total count over all micro-batches.
  package let count: Double
  /// The other figures of the micro-batch.
  package let measures: Measures

  /// A loss from `losses`, which are already weighted.
  package init(_ losses: Tensor, count: Double, measures: Measures = Measures()) {
    sum = losses.sum()
    total = losses.total
    self.count = count
    self.measures = measures
  }

  /// The weighted losses of rows; a row of weight 0 has neither loss nor gradient.
  ///
  /// - Parameters:
  ///   - scores: [rows, columns].
  ///   - weights: The weight of each row; nil for 1.
  ///   - function: Returns the loss of a row without its weight, and writes the weighted derivatives
  ///     with respect to the row's scores.
  init(
    rowsOf scores: Tensor, weights: [Float]?,
    _ function: (
      _ row: Int, _ scores: UnsafeBufferPointer<Float>,
      _ derivatives: UnsafeMutableBufferPointer<Float>, _ weight: Double,
      _ measures: inout Measures
    ) -> Double
  ) {
    var measures = Measures()
    let losses = scores.rowwise { row, scores, derivatives in
      let weight = Double(weights?[row] ?? 1)
      guard weight != 0 else {
        derivatives.update(repeating: 0)
        return 0
      }
      let loss = function(row, scores, derivatives, weight, &measures)
      measures.add(loss, to: .loss, weight: weight)
      return Float(weight * loss)
    }
    let total = weights?.reduce(0) { $0 + Double($1) } ?? Double(scores.rows)
    self.init(losses, count: total, measures: measures)
  }

  init(sum: Tensor, total: Double, count: Double, measures: Measures) {
    self.sum = sum
    self.total = total
    self.count = count
    self.measures = measures
  }
}

extension Loss {
  /// Returns this loss with more measures.
  package func adding(_ more: Measures) -> Loss {
    Loss(sum: sum, total: total, count: count, measures: measures + more)
  }

  /// Adds two losses over the same tokens, such as policy loss and value loss: sums and measures
  /// are added, the count, which must be equal, stays.
  package static func + (a: Loss, b: Loss) -> Loss {
    precondition(a.count == b.count, "losses over \(a.count) and \(b.count) cannot be added")
    return Loss(
      sum: a.sum + b.sum, total: a.total + b.total, count: a.count,
      measures: a.measures + b.measures)
  }
}
