// Biases of an attention by relative position (Raffel and others 2020, T5): what is added to the score
// of query t and key s of a head depends on their distance alone, by buckets that are exact for near
// keys and grow with the logarithm of the distance for far ones.
//
// A head's biases are therefore constant along the diagonals of its T×S scores: they are expanded to
// T + S − 1 numbers a head, and the scores of a block take a slice of these. The derivative takes the
// same way back. With ds that of the biased scores,
//   ddiagonal[h, s − t] = Σ over sequences and pairs of that distance of ds,
//   dtable[bucket, h] = Σ of the diagonals in the bucket;
// each (sequence, head) has sums of its own, which are added in order, whoever made them.
import CKernels
import Glibc

/// Which distances share a bias, as `transformers`' `_relative_position_bucket`.
public struct RelativeBuckets: Sendable, Equatable {
  /// Number of buckets.
  public let count: Int
  /// Distance from which on all share the last one.
  public let maximumDistance: Int
  /// Whether keys behind the query have buckets of their own, or all share that of distance 0.
  public let isBidirectional: Bool

  /// Whether the formula has a value: not with fewer buckets, nor with smaller distances.
  public static func isDefined(count: Int, maximumDistance: Int) -> Bool {
    count >= 4 && maximumDistance > count / 2
  }

  /// See the properties; `isDefined` tells which values go.
  public init(count: Int, maximumDistance: Int, isBidirectional: Bool) {
    precondition(
      RelativeBuckets.isDefined(count: count, maximumDistance: maximumDistance),
      "\(count) buckets of distances up to \(maximumDistance)")
    self.count = count
    self.maximumDistance = maximumDistance
    self.isBidirectional = isBidirectional
  }

  /// The bucket of a key `position` places behind its query; before it where negative.
  public func callAsFunction(_ position: Int) -> Int {
    let own = isBidirectional ? count / 2 : count
    let first = isBidirectional && position > 0 ? own : 0
    let distance = isBidirectional ? abs(position) : max(0, -position)
    let exact = own / 2
    guard distance >= exact else { return first + distance }
    // In 32 bits, as the published models were trained: at a power of two the last bit decides.
    let share =
      logf(Float(distance) / Float(exact)) / Float(log(Double(maximumDistance) / Double(exact)))
    return first + min(own - 1, exact + Int(share * Float(own - exact)))
  }
}

/// A bias on the scores of an attention, for every bucket of distances and every head.
public struct RelativeBias {
  /// [buckets, heads].
  let table: Tensor
  let buckets: RelativeBuckets

  /// - Parameters:
  ///   - table: [buckets, heads]; one table may serve several attentions.
  ///   - buckets: Which distances share a row of it.
  public init(_ table: Tensor, buckets: RelativeBuckets) {
    precondition(
      table.shape.count == 2 && table.shape[0] == buckets.count,
      "a table \(table.shape) of \(buckets.count) buckets")
    self.table = table
    self.buckets = buckets
  }

  /// The biases of `shape` along its diagonals.
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

  /// Adds to the derivative of the table what `sums`, the derivatives along the diagonals of every
  /// sequence, come to.
  func accumulate(_ sums: [BiasDiagonals], of shape: AttentionShape) {
    let heads = table.columns
    var totals = [Double](repeating: 0, count: table.count)
    for (place, bucket) in places(of: shape).enumerated() {
      for head in 0..<heads {
        for sequence in sums { totals[bucket * heads + head] += Double(sequence.head(head)[place]) }
      }
    }
    // The scores' derivatives came with the factor of the products, which the bias has not.
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

/// A number for each diagonal of the scores of every head.
struct BiasDiagonals {
  private let values: Tensor
  private let queries: Int

  /// Undefined numbers.
  init(_ shape: AttentionShape, in workspace: Workspace) {
    queries = shape.queries
    values = Tensor(
      uninitialized: [shape.heads, max(0, shape.queries + shape.keys - 1)], in: workspace)
  }

  /// The diagonals of `head`, the one of the last query and the first key first.
  func head(_ head: Int) -> UnsafeMutablePointer<Float> { values.pointer + head * values.columns }

  /// Where the number of query `row` and key `column` stands; the next row's stands one before.
  func at(_ head: Int, row: Int, column: Int) -> UnsafeMutablePointer<Float> {
    self.head(head) + (column - row + queries - 1)
  }

  /// Sets those of `heads` to 0.
  func clear(_ heads: Range<Int>) {
    self.head(heads.lowerBound).update(repeating: 0, count: heads.count * values.columns)
  }
}
