/// A weighted sum and its total weight.
///
/// Losses are accumulated and exchanged as tallies, and divided only once, at the end.
package struct Tally: BitwiseCopyable, Equatable, Sendable {
  /// The sum.
  package var sum: Double
  /// The total weight, usually the number of tokens.
  package var count: Double

  package init(sum: Double = 0, count: Double = 0) {
    self.sum = sum
    self.count = count
  }

  /// Adds sums and counts.
  ///
  /// The order of several additions affects the last bits.
  package static func + (a: Tally, b: Tally) -> Tally {
    Tally(sum: a.sum + b.sum, count: a.count + b.count)
  }

  /// The sum divided by the count; NaN for an empty tally.
  package var mean: Double { sum / count }
}

extension Sequence<Tally> {
  /// The tallies added in order.
  package var total: Tally { reduce(Tally(), +) }
}
