import Statistics
import Testing

@Suite struct KappaTests {
  @Test func cohenAgreesWithScikitLearn() throws {
    for row in try Golden.read().cohen {
      #expect(agree(Kappa.cohen(row.first, row.second), row.kappa), "\(row)")
    }
  }

  @Test func fleissAgreesWithStatsmodelsAndGwet() throws {
    for row in try Golden.read().fleiss {
      #expect(agree(Kappa.fleiss(row.counts), row.kappa), "\(row)")
    }
  }

  /// Cohen 1960, table 2b: pₒ = 0.70, pₑ = 0.41, κ = 0.492.
  @Test func kappaOfCohensExampleAgreesWithHisPaper() {
    let table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
    var (first, second): ([Int], [Int]) = ([], [])
    for (row, counts) in table.enumerated() {
      for (column, count) in counts.enumerated() {
        first += Array(repeating: row, count: count)
        second += Array(repeating: column, count: count)
      }
    }
    #expect(agree(Kappa.cohen(first, second), (0.70 - 0.41) / (1 - 0.41)))
  }

  /// Fleiss 1971: 30 patients, each diagnosed by six psychiatrists, κ = 0.430.
  @Test func kappaOfFleissExampleAgreesWithHisPaper() throws {
    let diagnoses = """
      444444 222555 233335 555555 222444 113333 333355 113334 114444 555555 144444 124444 222333
      144444 224445 333335 111455 111112 224444 133555 555555 244444 224555 114444 144445 222224
      111155 224444 133333 555555
      """
    let counts = diagnoses.split { $0.isWhitespace }.map { patient in
      (1...5).map { label in patient.count { $0.wholeNumberValue == label } }
    }
    let kappa = try #require(Kappa.fleiss(counts))
    #expect(counts.count == 30 && abs(kappa - 0.430) < 0.0005, "\(kappa)")
  }

  @Test func undefinedKappasAreNil() {
    #expect(Kappa.cohen([Int](), []) == nil)
    #expect(Kappa.cohen(["a", "a"], ["a", "a"]) == nil)
    #expect(Kappa.fleiss([]) == nil)
    #expect(Kappa.fleiss([[1, 0], [0, 1]]) == nil, "one annotator each")
    #expect(Kappa.fleiss([[3, 0], [2, 0]]) == nil, "one label")
  }

  @Test func itemsWithFewerThanTwoAnnotatorsAreIgnored() {
    let counts = [[2, 0], [1, 1], [0, 2]]
    #expect(Kappa.fleiss(counts + [[1, 0], [0, 0]]) == Kappa.fleiss(counts))
  }
}
