import RandomNumbers

/// Gaussian initialization of the rows of new tokens, in matrices with a row per token, with the
/// mean and the covariance of the existing rows (Hewitt 2021, "Initializing new word embeddings for
/// pretrained language models").
///
/// A new token is then as likely as an average one and hardly changes the probabilities of the
/// others.
///
///     row = m + 1/√n · Σᵢ zᵢ (rowᵢ − m)        n rows with the mean m, zᵢ independent, normal
///
/// The new row has exactly the covariance of the existing rows, even when that is singular, and no
/// factorization is needed. The numbers zᵢ of a token are a pure function of the seed and its id,
/// so embedding, head and bias of a token are the same mixture of the existing ones.
package struct NewTokenRows: Sendable {
  /// The number of existing rows, n.
  package let known: Int
  private let seed: UInt64

  /// Creates the initializer for rows that follow the first `known`, which must be more than 0.
  package init(known: Int, seed: UInt64) {
    precondition(known > 0, "no existing rows to initialize new ones from")
    self.known = known
    self.seed = seed
  }

  /// Writes rows `ids` of `matrix`, which has rows of `columns` elements and begins with the
  /// existing rows.
  package func write(_ ids: Range<Int>, of matrix: UnsafeMutableBufferPointer<Float>, columns: Int)
  {
    precondition(
      ids.isEmpty || ids.lowerBound >= known && ids.upperBound * columns <= matrix.count,
      "new rows \(ids) after \(known) rows of a matrix of \(matrix.count) ÷ \(columns) rows")
    var mean = [Double](repeating: 0, count: columns)
    for row in 0..<known { add(matrix, row, columns, times: 1, to: &mean) }
    for column in 0..<columns { mean[column] /= Double(known) }
    var normals = [Float](repeating: 0, count: known)
    var sum = [Double](repeating: 0, count: columns)
    for id in ids {
      let stream = RandomStream(seed: seed, purpose: .newTokens, id)
      normals.withUnsafeMutableBufferPointer { fillNormal($0, std: 1, from: stream) }
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
