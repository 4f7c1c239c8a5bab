/// Count, mean and squared deviations of numbers, joined in a fixed order.
///
/// A unit of rollouts that one worker makes has its own moments; joined in the order of the units
/// (Chan and others 1979) they give the same bits whoever made them.
public struct Moments: Sendable, Equatable {
  /// How many numbers.
  public private(set) var count: Double
  /// Their mean; 0 for none.
  public private(set) var mean: Double
  /// The sum of the squared differences from the mean.
  public private(set) var squares: Double

  /// Of `values`, in order.
  public init(_ values: [Double] = []) {
    count = Double(values.count)
    let mean = values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    self.mean = mean
    squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  }

  /// As `numbers` gives them.
  public init(numbers: some Collection<Double>) {
    let numbers = Array(numbers)
    precondition(numbers.count == 3, "\(numbers.count) numbers for moments")
    (count, mean, squares) = (numbers[0], numbers[1], numbers[2])
  }

  /// Count, mean and squares, to be sent to other ranks.
  public var numbers: [Double] { [count, mean, squares] }

  /// Those of the numbers of both.
  public static func + (a: Moments, b: Moments) -> Moments {
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
  public var variance: Double { count > 1 ? squares / (count - 1) : 0 }
}

extension Moments {
  /// `values` less the mean, in standard deviations, as TRL whitens advantages.
  public func whiten(_ values: [Double]) -> [Float] {
    let factor = 1 / (variance + 1e-8).squareRoot()
    return values.map { Float(($0 - mean) * factor) }
  }
}
