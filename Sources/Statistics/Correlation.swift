/// Correlation coefficients of two samples, from −1 to 1.
///
/// Each coefficient is nil where it is not defined: for fewer than two points, for a sample whose
/// values are all equal, or when a value is not finite.
package enum Correlation {
  /// Returns Pearson's coefficient, which measures linear dependence.
  package static func pearson(_ x: [Double], _ y: [Double]) -> Double? {
    precondition(x.count == y.count, "\(x.count) numbers and \(y.count)")
    guard let x = unit(x), let y = unit(y) else { return nil }
    let sum = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
    return max(-1, min(1, sum))
  }

  /// Returns Spearman's coefficient: Pearson's coefficient of the ranks.
  ///
  /// Tied values get the mean of their ranks.
  package static func spearman(_ x: [Double], _ y: [Double]) -> Double? {
    precondition(x.count == y.count, "\(x.count) numbers and \(y.count)")
    guard (x + y).allSatisfy(\.isFinite) else { return nil }
    return pearson(ranks(x), ranks(y))
  }

  /// Returns the deviations of `values` from their mean, scaled to a vector of Euclidean norm 1;
  /// nil where the coefficients are not defined.
  ///
  /// They are first divided by the largest one, so that no square overflows or underflows.
  private static func unit(_ values: [Double]) -> [Double]? {
    guard values.count >= 2, let first = values.first,
      values.contains(where: { $0 != first }), values.allSatisfy(\.isFinite)
    else { return nil }
    let scale = values.reduce(0) { max($0, abs($1)) }
    let scaled = values.map { $0 / scale }
    let mean = scaled.reduce(0, +) / Double(values.count)
    let deviations = scaled.map { $0 - mean }
    let largest = deviations.reduce(0) { max($0, abs($1)) }
    let relative = deviations.map { $0 / largest }
    let length = relative.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return relative.map { $0 / length }
  }

  /// Returns the rank of each value, counted from 1, in the order of `values`.
  static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      let end = order[start...].firstIndex { values[$0] != values[order[start]] } ?? order.count
      for index in order[start..<end] { ranks[index] = Double(start + 1 + end) / 2 }
      start = end
    }
    return ranks
  }
}
