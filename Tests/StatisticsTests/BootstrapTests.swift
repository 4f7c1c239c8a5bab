import Statistics
import Testing

@Suite struct BootstrapTests {
  /// The ends vary with the random numbers: by about 2 % of the interval with so many resamples.
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

  /// Two models on the same examples, one better by the same everywhere: nothing is left to chance.
  @Test func aPairedDifferenceIsSurerThanTwoMeans() {
    let first = (0..<50).map { Double($0 % 7) }
    let second = first.map { $0 + 0.25 }
    let difference = Bootstrap().interval(ofMean: zip(second, first).map { $0 - $1 })
    #expect(difference == 0.25...0.25)
    let mean = Bootstrap().interval(ofMean: first)
    #expect(mean.upperBound - mean.lowerBound > 0.5)
  }

  @Test func theSeedAloneDecides() {
    let values = (0..<33).map { Double($0 * $0 % 17) }
    let interval = Bootstrap(seed: 3, resamples: 100).interval(ofMean: values)
    #expect(Bootstrap(seed: 3, resamples: 100).interval(ofMean: values) == interval)
    #expect(Bootstrap(seed: 4, resamples: 100).interval(ofMean: values) != interval)
  }

  @Test func aFigureOfItsOwn() {
    // The largest of 8: all examples are drawn, each about as often as the others.
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
