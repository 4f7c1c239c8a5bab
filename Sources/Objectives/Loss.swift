// "What each phase minimises. Losses and their derivatives; no text, no messages, no data on disk."

import Tensors

/// What an objective makes of one micro-batch: a sum, and what it is a sum over.
///
/// Sums and counts of all micro-batches are added before the one division, so an objective never
/// divides by a count of its own.
public struct Loss {
  /// The sum of the weighted losses, a scalar, recorded if the workspace records.
  public let sum: Tensor
  /// The same sum in 64 bits, for reports.
  public let total: Double
  /// The sum of the weights: what the sum over all micro-batches is divided by.
  public let count: Double
  /// What else was seen.
  public let measures: Measures

  /// The sum of `losses`, which are weighted already, over `count`.
  public init(_ losses: Tensor, count: Double, measures: Measures = Measures()) {
    sum = losses.sum()
    total = losses.total
    self.count = count
    self.measures = measures
  }

  init(sum: Tensor, total: Double, count: Double, measures: Measures) {
    self.sum = sum
    self.total = total
    self.count = count
    self.measures = measures
  }
}

extension Loss {
  /// The same loss with more that was seen.
  public func adding(_ more: Measures) -> Loss {
    Loss(sum: sum, total: total, count: count, measures: measures + more)
  }

  /// Two losses over the same things, such as a policy's and its value head's: sums and measures are
  /// added, the count is counted once.
  public static func + (a: Loss, b: Loss) -> Loss {
    precondition(a.count == b.count, "losses over \(a.count) and \(b.count) cannot be added")
    return Loss(
      sum: a.sum + b.sum, total: a.total + b.total, count: a.count,
      measures: a.measures + b.measures)
  }
}
