import Statistics
import Testing

@Suite struct CorrelationTests {
  @Test func coefficientsAgreeWithSciPy() throws {
    for row in try Golden.read().correlation {
      let pearson = Correlation.pearson(row.x, row.y)
      #expect(agree(pearson, row.pearson), "\(row): \(pearson as Any)")
      let spearman = Correlation.spearman(row.x, row.y)
      #expect(agree(spearman, row.spearman), "\(row): \(spearman as Any)")
    }
  }

  @Test func undefinedCoefficientsAreNil() {
    for (x, y) in [
      ([], []), ([1], [2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [0.1, 0.1, 0.1]),
      ([1, .nan, 3], [1, 2, 3]), ([1, .infinity, 3], [1, 2, 3]),
    ] as [([Double], [Double])] {
      #expect(Correlation.pearson(x, y) == nil, "\(x), \(y)")
      #expect(Correlation.spearman(x, y) == nil, "\(x), \(y)")
    }
  }
}
