import RandomNumbers

/// Confidence intervals by resampling (Efron 1979), for figures that have no formula of their own.
///
/// A comparison of two models on the same examples is paired: it resamples examples, and each brings
/// both models' values with it. The choices are those of a keyed stream, the same on every machine.
public struct Bootstrap: Sendable {
  /// Seed of the choices.
  public var seed: UInt64
  /// How often the examples are drawn anew.
  public var resamples: Int

  /// See the properties.
  public init(seed: UInt64 = 1, resamples: Int = 2000) {
    precondition(resamples >= 1, "\(resamples) resamples")
    self.seed = seed
    self.resamples = resamples
  }

  /// The percentile interval of a figure that is computed from `count` examples.
  ///
  /// - Parameters:
  ///   - count: Number of examples, at least one.
  ///   - confidence: Share of the resampled figures between the ends, in 0...1.
  ///   - statistic: The figure for the examples with the given indices, some of which stand there
  ///     several times.
  public func interval(
    count: Int, confidence: Double = 0.95, statistic: ([Int]) throws -> Double
  ) rethrows -> ClosedRange<Double> {
    precondition(count >= 1 && count <= UInt32.max, "a bootstrap over \(count) examples")
    precondition(confidence >= 0 && confidence <= 1, "a confidence of \(confidence)")
    var values: [Double] = []
    for resample in 0..<resamples { values.append(try statistic(indices(resample, count: count))) }
    values.sort()
    let lower = Self.quantile((1 - confidence) / 2, of: values)
    let upper = Self.quantile((1 + confidence) / 2, of: values)
    return lower...upper
  }

  /// The percentile interval of the mean of `values`: of differences, in a paired comparison.
  public func interval(
    ofMean values: [Double], confidence: Double = 0.95
  ) -> ClosedRange<Double> {
    interval(count: values.count, confidence: confidence) { indices in
      indices.reduce(0) { $0 + values[$1] } / Double(indices.count)
    }
  }

  /// The examples of one resample.
  private func indices(_ resample: Int, count: Int) -> [Int] {
    let stream = RandomStream(seed: seed, purpose: .bootstrap, resample)
    return [Int](unsafeUninitializedCapacity: count) { indices, filled in
      for block in 0..<(count + 3) / 4 {
        let words = stream.block(UInt64(block))
        for lane in 0..<min(4, count - 4 * block) {
          // Uniform to within count · 2⁻³².
          indices[4 * block + lane] = Int((UInt64(words[lane]) * UInt64(count)) >> 32)
        }
      }
      filled = count
    }
  }

  /// Linear between the neighbours, as in NumPy.
  private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}
