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

  /// The losses of rows.
  ///
  /// - Parameters:
  ///   - scores: [rows, columns].
  ///   - function: Returns the loss of a row, and writes the derivatives with respect to the row's
  ///     scores.
  init(
    rowsOf scores: Tensor,
    _ function: (
      _ row: Int, _ scores: UnsafeBufferPointer<Float>,
      _ derivatives: UnsafeMutableBufferPointer<Float>, _ measures: inout Measures
    ) -> Double
  ) {
    var measures = Measures()
    let losses = scores.rowwise { row, scores, derivatives in
      let loss = function(row, scores, derivatives, &measures)
      measures.add(loss, to: .loss)
      return Float(loss)
    }
    self.init(losses, count: Double(scores.rows), measures: measures)
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
