import Testing

@testable import Files

@Suite struct DecimalsTests {
  @Test func aNumberThatRoundsToZeroHasNoSign() {
    let cases: [(Double, Int, String)] = [
      (-0.00004, 4, "0.0000"), (-0.0, 2, "0.00"), (-0.00006, 4, "-0.0001"), (-0.4, 0, "0"),
      (1.25, 4, "1.2500"), (-12.5, 1, "-12.5"), (-.infinity, 2, "-inf"), (.nan, 3, "nan"),
    ]
    for (value, count, text) in cases { #expect(value.decimals(count) == text) }
  }
}
