// Relative position biases of attention scores (Raffel and others 2020, T5). The bias of query t
// and key s of a head depends only on their distance, through buckets that are exact for small
// distances and grow with the logarithm of the distance for large ones.
//
// The biases of a head are therefore constant along the diagonals of its T×S scores. They are
// expanded to T + S − 1 numbers per head, and every block of scores uses a slice of these. The
// backward pass is the reverse. With ds the gradient with respect to the biased scores,
//   ddiagonal[h, s − t] = Σ over sequences and pairs of that distance of ds,
//   dtable[bucket, h] = Σ of the diagonals in the bucket.
// Every (sequence, head) has its own sums, which are added in a fixed order, so the bits do not
// depend on the thread that computed them.
import CKernels
import Glibc

/// The assignment of distances to bias buckets, as in `transformers`' `_relative_position_bucket`.
package struct RelativeBuckets: Sendable, Equatable {
  /// Number of buckets.
  package let count: Int
  /// The distance from which on all distances share the last bucket.
  package let maximumDistance: Int
  /// True when keys after the query have their own buckets; otherwise they all share the bucket of
  /// distance 0.
  package let isBidirectional: Bool

  /// Returns true when the bucket formula is defined: with at least 4 buckets and a maximum
  /// distance of more than `count / 2`.
  package static func isDefined(count: Int, maximumDistance: Int) -> Bool {
    count >= 4 && maximumDistance > count / 2
  }

  /// Creates buckets; `isDefined` must be true for the values.
  package init(count: Int, maximumDistance: Int, isBidirectional: Bool) {
    precondition(
      RelativeBuckets.isDefined(count: count, maximumDistance: maximumDistance),
      "\(count) buckets of distances up to \(maximumDistance)")
    self.count = count
    self.maximumDistance = maximumDistance
    self.isBidirectional = isBidirectional
  }

  /// Returns the bucket of a key that is `position` positions after its query, or before it when
  /// negative.
  package func callAsFunction(_ position: Int) -> Int {
    let own = isBidirectional ? count / 2 : count
    let first = isBidirectional && position > 0 ? own : 0
    let distance = isBidirectional ? abs(position) : max(0, -position)
    let exact = own / 2
    guard distance >= exact else { return first + distance }
    // In 32 bits, as for the published models: at powers of two the last bit decides the bucket.
    let fraction =
      logf(Float(distance) / Float(exact)) / Float(log(Double(maximumDistance) / Double(exact)))
    return first + min(own - 1, exact + Int(fraction * Float(own - exact)))
  }
}

/// A relative position bias of attention scores: one number per distance bucket and head.
package struct RelativeBias {
  /// [buckets, heads].
  let table: Tensor
  let buckets: RelativeBuckets

  /// - Parameters:
  ///   - table: [buckets, heads]; several attentions may share one table.
  ///   - buckets: The assignment of distances to rows of the table.
  package init(_ table: Tensor, buckets: RelativeBuckets) {
    precondition(
      table.shape.count == 2 && table.shape[0] == buckets.count,
      "a table \(table.shape) of \(buckets.count) buckets")
    self.table = table
    self.buckets = buckets
  }

  /// Returns the biases of `shape` along its diagonals.
  func diagonals(of shape: AttentionShape) -> BiasDiagonals {
    let heads = table.columns
    let diagonals = BiasDiagonals(shape, in: table.workspace)
    for (place, bucket) in places(of: shape).enumerated() {
      for head in 0..<heads {
        diagonals.head(head)[place] = table.pointer[bucket * heads + head]
      }
    }
    return diagonals
  }

  /// Adds the total of `sums` to the gradient of the table.
  ///
  /// - Parameter sums: Gradients along the diagonals, one set per sequence.
  func accumulate(_ sums: [BiasDiagonals], of shape: AttentionShape) {
    let heads = table.columns
    var totals = [Double](repeating: 0, count: table.count)
    for (place, bucket) in places(of: shape).enumerated() {
      for head in 0..<heads {
        for sequence in sums { totals[bucket * heads + head] += Double(sequence.head(head)[place]) }
      }
    }
    // The gradients of the scores contain the factor of q·kᵀ, which does not apply to the bias.
    let factor = 1 / Double(shape.scale)
    table.accumulate { dtable, adds in
      for (index, total) in totals.enumerated() {
        dtable[index] = Float(total * factor) + (adds ? dtable[index] : 0)
      }
    }
  }

  /// The bucket of every diagonal.
  private func places(of shape: AttentionShape) -> [Int] {
    (0..<shape.queries + shape.keys - 1).map { buckets($0 - (shape.keys - 1)) }
  }
}

/// One number per diagonal of the scores of every head.
struct BiasDiagonals {
  private let values: Tensor
  private let queries: Int

  /// Creates uninitialized numbers.
  init(_ shape: AttentionShape, in workspace: Workspace) {
    queries = shape.queries
    values = Tensor(
      uninitialized: [shape.heads, max(0, shape.queries + shape.keys - 1)], in: workspace)
  }

  /// The diagonals of `head`, beginning with that of the last query and the first key.
  func head(_ head: Int) -> UnsafeMutablePointer<Float> { values.pointer + head * values.columns }

  /// The address of the number of query `row` and key `column`; that of the next row is one element
  /// before it.
  func at(_ head: Int, row: Int, column: Int) -> UnsafeMutablePointer<Float> {
    self.head(head) + (column - row + queries - 1)
  }

  /// Sets the diagonals of `heads` to 0.
  func clear(_ heads: Range<Int>) {
    self.head(heads.lowerBound).update(repeating: 0, count: heads.count * values.columns)
  }
}
