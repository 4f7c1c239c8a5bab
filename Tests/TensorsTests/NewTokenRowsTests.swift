import Testing

@testable import Tensors

/// Rows of new tokens have the mean and covariance of the existing rows.
@Suite struct NewTokenRowsTests {
  /// Rows of three numbers, the third being the sum of the others, so that their covariance is
  /// singular.
  private static func matrix(_ known: Int, _ rows: Int) -> [Float] {
    var values = [Float](repeating: 0, count: rows * 3)
    for row in 0..<known {
      let (a, b) = (Float(row % 7) - 2, Float(row * row % 11) * 0.5 + Float(row % 7))
      values[row * 3] = a
      values[row * 3 + 1] = b
      values[row * 3 + 2] = a + b
    }
    return values
  }

  private static func draw(_ ids: Range<Int>, seed: UInt64, rows: Int = 5060) -> [Float] {
    var values = matrix(60, rows)
    values.withUnsafeMutableBufferPointer {
      NewTokenRows(known: 60, seed: seed).write(ids, of: $0, columns: 3)
    }
    return values
  }

  private static func moments(_ values: ArraySlice<Float>) -> (mean: [Double], covariance: [Double])
  {
    let rows = values.count / 3
    let at = { (row: Int, column: Int) in Double(values[values.startIndex + row * 3 + column]) }
    let mean = (0..<3).map { c in (0..<rows).reduce(0) { $0 + at($1, c) } / Double(rows) }
    let covariance = (0..<9).map { place in
      let (a, b) = (place / 3, place % 3)
      return (0..<rows).reduce(0) { $0 + (at($1, a) - mean[a]) * (at($1, b) - mean[b]) }
        / Double(rows)
    }
    return (mean, covariance)
  }

  @Test func meanAndCovarianceAreThoseOfTheExistingRows() {
    let values = Self.draw(60..<5060, seed: 3)
    let (old, new) = (Self.moments(values[..<180]), Self.moments(values[180...]))
    let scale = old.covariance.max() ?? 0
    for (a, b) in zip(old.mean, new.mean) { #expect(abs(a - b) < 0.06 * scale.squareRoot()) }
    for (a, b) in zip(old.covariance, new.covariance) { #expect(abs(a - b) < 0.06 * scale) }
    for row in 60..<5060 {
      #expect(abs(values[row * 3] + values[row * 3 + 1] - values[row * 3 + 2]) < 1e-4)
    }
    #expect(Array(values[..<180]) == Array(Self.matrix(60, 60)))
  }

  /// A row does not depend on the other rows that are initialized in the same call.
  @Test func rowsDependOnSeedAndIdAlone() {
    let all = Self.draw(60..<80, seed: 3, rows: 80)
    let part = Self.draw(70..<80, seed: 3, rows: 80)
    #expect(all[210...] == part[210...])
    #expect(all[180..<210] != all[210...])
    #expect(Self.draw(60..<80, seed: 4, rows: 80)[180...] != all[180...])
  }
}
