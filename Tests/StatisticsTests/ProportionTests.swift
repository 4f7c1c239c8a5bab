import Glibc
import Statistics
import Testing

@Suite struct ProportionTests {
  @Test func normalQuantilesAgreeWithSciPy() throws {
    for row in try Golden.read().normal {
      let quantile = StandardNormal.quantile(row.probability)
      #expect(agree(quantile, row.quantile, within: 1e-14), "\(row.probability): \(quantile)")
      let cumulative = erfc(-quantile / 2.0.squareRoot()) / 2
      #expect(abs(cumulative / row.cumulative - 1) < 1e-12, "\(row.probability): \(cumulative)")
    }
    #expect(StandardNormal.quantile(0) == -.infinity && StandardNormal.quantile(1) == .infinity)
  }

  @Test func wilsonIntervalsAgreeWithStatsmodels() throws {
    for row in try Golden.read().wilson {
      let interval = Proportion(row.successes, of: row.trials)
        .wilsonInterval(confidence: row.confidence)
      #expect(agree(interval.lowerBound, row.lower), "\(row): \(interval)")
      #expect(agree(interval.upperBound, row.upper), "\(row): \(interval)")
    }
  }

  @Test func theIntervalWithoutTrialsIsZeroToOne() {
    let none = Proportion(0, of: 0)
    #expect(none.fraction == nil && none.wilsonInterval() == 0...1)
    #expect(Proportion(0, of: 5).wilsonInterval().lowerBound == 0)
    #expect(Proportion(5, of: 5).wilsonInterval().upperBound == 1)
  }

  @Test func exactBinomialPValuesAgreeWithSciPy() throws {
    for row in try Golden.read().binomial {
      let p = BinomialTest.pValue(
        successes: row.successes, trials: row.trials, probability: row.probability)
      #expect(agree(p, row.p, within: 1e-9), "\(row): \(p)")
    }
    #expect(BinomialTest.pValue(successes: 0, trials: 0) == 1)
  }
}
