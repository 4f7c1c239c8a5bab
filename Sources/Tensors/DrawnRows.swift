import RandomNumbers

/// New rows for matrices that have a row for every token, drawn from the mean and the covariance of
/// the rows that are there (Hewitt 2021, "Initializing new word embeddings for pretrained language
/// models"): a new token is then as likely as an average one, and moves none of the others.
///
///     row = m + 1/√n · Σᵢ zᵢ (rowᵢ − m)        n rows with the mean m, zᵢ independent, normal
///
/// has the covariance of the rows exactly, whether that has an inverse or not, and needs no
/// factorization. A token's numbers zᵢ are a pure function of the seed and its id: embedding, head and
/// bias of one token are the same mixture of the old ones.
public struct DrawnRows: Sendable {
  /// How many rows there are, n.
  public let known: Int
  private let seed: UInt64

  /// Rows in the likeness of the first `known`.
  public init(known: Int, seed: UInt64) {
    precondition(known > 0, "no rows to draw from")
    self.known = known
    self.seed = seed
  }

  /// Writes rows `ids` of `matrix`, which has rows of `columns` and the known ones first.
  public func write(_ ids: Range<Int>, of matrix: UnsafeMutableBufferPointer<Float>, columns: Int) {
    precondition(
      ids.isEmpty || ids.lowerBound >= known && ids.upperBound * columns <= matrix.count,
      "rows \(ids) behind \(known) of \(matrix.count) ÷ \(columns)")
    var mean = [Double](repeating: 0, count: columns)
    for row in 0..<known { add(matrix, row, columns, times: 1, to: &mean) }
    for column in 0..<columns { mean[column] /= Double(known) }
    var normals = [Float](repeating: 0, count: known)
    var sum = [Double](repeating: 0, count: columns)
    for id in ids {
      let stream = RandomStream(seed: seed, purpose: .newTokens, id)
      normals.withUnsafeMutableBufferPointer { fillNormal($0, deviation: 1, from: stream) }
      for column in 0..<columns { sum[column] = 0 }
      var weight = 0.0
      for row in 0..<known {
        add(matrix, row, columns, times: Double(normals[row]), to: &sum)
        weight += Double(normals[row])
      }
      let scale = 1 / Double(known).squareRoot()
      for column in 0..<columns {
        let difference = sum[column] - weight * mean[column]
        matrix[id * columns + column] = Float(mean[column] + scale * difference)
      }
    }
  }

  @inline(__always)
  private func add(
    _ matrix: UnsafeMutableBufferPointer<Float>, _ row: Int, _ columns: Int, times factor: Double,
    to sum: inout [Double]
  ) {
    sum.withUnsafeMutableBufferPointer { sum in
      for column in 0..<columns { sum[column] += factor * Double(matrix[row * columns + column]) }
    }
  }
}
