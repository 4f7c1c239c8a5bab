/// Count, mean and summed squared differences of numbers, combined in a fixed order.
///
/// Every unit of rollouts has its own moments. Combining them in the order of the units (Chan and
/// others 1979) gives the same bits whichever worker computed which unit.
package struct Moments: Sendable, Equatable {
  /// The number of values.
  package private(set) var count: Double
  /// The mean; 0 without values.
  package private(set) var mean: Double
  /// The sum of the squared differences from the mean.
  package private(set) var squares: Double

  /// The moments of `values`, summed in order.
  package init(_ values: [Double] = []) {
    count = Double(values.count)
    let mean = values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    self.mean = mean
    squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  }

  /// The moments with these `numbers`.
  package init(numbers: some Collection<Double>) {
    let numbers = Array(numbers)
    precondition(numbers.count == 3, "\(numbers.count) numbers for moments")
    (count, mean, squares) = (numbers[0], numbers[1], numbers[2])
  }

  /// Count, mean and squares as plain numbers, for messages between ranks.
  package var numbers: [Double] { [count, mean, squares] }

  /// Returns the moments of both sets of values together.
  package static func + (a: Moments, b: Moments) -> Moments {
    guard a.count > 0 else { return b }
    guard b.count > 0 else { return a }
    var sum = a
    let difference = b.mean - a.mean
    sum.count = a.count + b.count
    sum.mean = a.mean + difference * b.count / sum.count
    sum.squares = a.squares + b.squares + difference * difference * a.count * b.count / sum.count
    return sum
  }

  /// Variance with Bessel's correction; 0 for fewer than two numbers.
  package var variance: Double { count > 1 ? squares / (count - 1) : 0 }
}

extension Moments {
  /// Returns `values` minus the mean, divided by the standard deviation, as TRL whitens advantages.
  package func whiten(_ values: [Double]) -> [Float] {
    let factor = 1 / (variance + 1e-8).squareRoot()
    return values.map { Float(($0 - mean) * factor) }
  }
}
