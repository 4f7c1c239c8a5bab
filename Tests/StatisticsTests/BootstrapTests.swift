import Statistics
import Testing

@Suite struct BootstrapTests {
  /// The ends of the interval vary with the seed: with 5,000 resamples by about 2 % of its length.
  @Test func intervalsAgreeWithSciPy() throws {
    for row in try Golden.read().bootstrap {
      let interval = Bootstrap(resamples: 5000).interval(ofMean: row.values)
      for (end, expected) in [
        (interval.lowerBound, row.lower), (interval.upperBound, row.upper),
      ] {
        #expect(abs(end - expected) < 0.15 * row.standardError, "\(end), \(expected)")
      }
    }
  }

  /// One model is better by the same amount on every example, so the interval has length 0.
  @Test func theIntervalOfPairedDifferencesIsNarrowerThanThatOfAMean() {
    let first = (0..<50).map { Double($0 % 7) }
    let second = first.map { $0 + 0.25 }
    let difference = Bootstrap().interval(ofMean: zip(second, first).map { $0 - $1 })
    #expect(difference == 0.25...0.25)
    let mean = Bootstrap().interval(ofMean: first)
    #expect(mean.upperBound - mean.lowerBound > 0.5)
  }

  @Test func theIntervalDependsOnTheSeedAlone() {
    let values = (0..<33).map { Double($0 * $0 % 17) }
    let interval = Bootstrap(seed: 3, resamples: 100).interval(ofMean: values)
    #expect(Bootstrap(seed: 3, resamples: 100).interval(ofMean: values) == interval)
    #expect(Bootstrap(seed: 4, resamples: 100).interval(ofMean: values) != interval)
  }

  // The statistic is the largest of 8 indices. Every example is drawn about equally often.
  @Test func anyStatisticHasAnInterval() {
    var counts = [Int](repeating: 0, count: 8)
    let interval = Bootstrap(resamples: 1000).interval(count: 8, confidence: 1) { indices in
      #expect(indices.count == 8)
      for index in indices { counts[index] += 1 }
      return Double(indices.max() ?? -1)
    }
    #expect(interval.upperBound == 7 && interval.lowerBound < 7)
    #expect(counts.allSatisfy { abs($0 - 1000) < 150 }, "\(counts)")
  }
}
