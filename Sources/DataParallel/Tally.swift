/// A sum and what it is a sum over: losses and tokens travel as these and are divided once.
public struct Tally: Equatable, Sendable {
  /// The sum, in 64 bits.
  public var sum: Double
  /// How much weight went into it, usually tokens.
  public var count: Double

  /// A sum over a count.
  public init(sum: Double = 0, count: Double = 0) {
    self.sum = sum
    self.count = count
  }

  /// Both parts added; order matters for the last bits.
  public static func + (a: Tally, b: Tally) -> Tally {
    Tally(sum: a.sum + b.sum, count: a.count + b.count)
  }

  /// Sum ÷ count; NaN when nothing was counted.
  public var mean: Double { sum / count }
}

extension Sequence<Tally> {
  /// All of them added in order.
  public var total: Tally { reduce(Tally(), +) }
}
