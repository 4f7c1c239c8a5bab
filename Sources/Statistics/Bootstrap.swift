import RandomNumbers

/// Confidence intervals by resampling (Efron 1979), for statistics that have no closed formula.
///
/// A comparison of two models on the same examples is paired: it resamples examples, and each
/// example carries the values of both models. The draws come from a keyed random stream, so they
/// are the same on every machine.
package struct Bootstrap: Sendable {
  /// Seed of the draws.
  package var seed: UInt64
  /// Number of resamples, at least 1.
  package var resamples: Int

  package init(seed: UInt64 = 1, resamples: Int = 2000) {
    precondition(resamples >= 1, "\(resamples) resamples")
    self.seed = seed
    self.resamples = resamples
  }

  /// Returns the percentile interval of a statistic of `count` examples.
  ///
  /// - Parameters:
  ///   - count: Number of examples, at least 1.
  ///   - confidence: Fraction of the resampled values inside the interval, in 0...1.
  ///   - statistic: Computes the statistic of the examples with the given indices. An index can
  ///     occur several times.
  package func interval(
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

  /// Returns the percentile interval of the mean of `values`.
  ///
  /// In a paired comparison the values are the differences.
  package func interval(
    ofMean values: [Double], confidence: Double = 0.95
  ) -> ClosedRange<Double> {
    interval(count: values.count, confidence: confidence) { indices in
      indices.reduce(0) { $0 + values[$1] } / Double(indices.count)
    }
  }

  /// Returns the indices of the examples of one resample, drawn with replacement.
  private func indices(_ resample: Int, count: Int) -> [Int] {
    let stream = RandomStream(seed: seed, purpose: .bootstrap, resample)
    return [Int](unsafeUninitializedCapacity: count) { indices, filled in
      for block in 0..<(count + 3) / 4 {
        let words = stream.block(UInt64(block))
        for lane in 0..<min(4, count - 4 * block) {
          // Uniform up to an error of count · 2⁻³².
          indices[4 * block + lane] = Int((UInt64(words[lane]) * UInt64(count)) >> 32)
        }
      }
      filled = count
    }
  }

  /// Returns the quantile at `fraction`, interpolated linearly as in NumPy.
  private static func quantile(_ fraction: Double, of sorted: [Double]) -> Double {
    let position = fraction * Double(sorted.count - 1)
    let below = Int(position)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
  }
}
