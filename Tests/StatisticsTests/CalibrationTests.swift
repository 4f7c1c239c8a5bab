import Statistics
import Testing

@Suite struct CalibrationTests {
  @Test func errorsAgreeWithScikitLearn() throws {
    for row in try Golden.read().calibration {
      let calibration = Calibration(row.probabilities, outcomes: row.outcomes, bins: row.bins)
      #expect(agree(calibration.expectedError, row.expected), "\(calibration)")
      #expect(calibration.bins.count == row.bins)
      #expect(calibration.bins.reduce(0) { $0 + $1.count } == row.outcomes.count)
    }
  }

  /// The bin of 0 and 0.5 has an error of 0.25, the bin of 0.6 and 1 an error of 0.3.
  @Test func errorsOfTwoBinsAgreeWithValuesComputedByHand() {
    let calibration = Calibration(
      [0, 0.5, 0.6, 1], outcomes: [true, false, false, true], bins: 2)
    #expect(calibration.bins.map(\.count) == [2, 2])
    #expect(agree(calibration.expectedError, 0.275))
    #expect(Calibration([], outcomes: []).expectedError == nil)
  }
}
