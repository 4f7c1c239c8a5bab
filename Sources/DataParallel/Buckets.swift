/// The buckets of the flat gradient, each of which is exchanged in one piece.
///
/// The unit is a block of 4,096 elements, independent of the number of ranks: norms are summed by
/// block, and a rank owns whole blocks. A bucket is a run of blocks. Bucket 0 lies at the end of
/// the buffer, where the backward pass finishes first. Every bucket is cut into one slice per rank,
/// so that all ranks work on every bucket at the same time.
struct Buckets: Sendable {
  /// The number of elements in a block.
  static let block = 4096
  /// The number of elements in the flat buffer.
  let count: Int
  let ranks: Int
  /// The buckets' ranges in the flat buffer, the last range first.
  let ranges: [Range<Int>]

  init(count: Int, ranks: Int) {
    self.count = count
    self.ranks = ranks
    let blocks = (count + Buckets.block - 1) / Buckets.block
    // At most 4 MiB of fp32 each; small models still get eight, to overlap exchange and compute.
    let size = min(256, max(16, blocks / 8)) * Buckets.block
    ranges = stride(from: (blocks * Buckets.block - 1) / size * size, through: 0, by: -size).map {
      $0..<min($0 + size, count)
    }
  }

  /// The number of blocks in the flat buffer.
  var blockCount: Int { (count + Buckets.block - 1) / Buckets.block }

  /// The elements of bucket `bucket` that `rank` owns.
  func slice(_ bucket: Int, rank: Int) -> Range<Int> {
    let range = ranges[bucket]
    let blocks = (range.count + Buckets.block - 1) / Buckets.block
    let edge = { (rank: Int) in
      min(range.upperBound, range.lowerBound + rank * blocks / ranks * Buckets.block)
    }
    return edge(rank)..<edge(rank + 1)
  }

  /// The slices of all ranks, relative to the start of the bucket.
  func slices(_ bucket: Int) -> [Range<Int>] {
    (0..<ranks).map {
      let slice = slice(bucket, rank: $0)
      let start = ranges[bucket].lowerBound
      return slice.lowerBound - start..<slice.upperBound - start
    }
  }

  /// The non-empty slices that `rank` owns, in bucket order.
  func owned(by rank: Int) -> [Range<Int>] {
    ranges.indices.map { slice($0, rank: rank) }.filter { !$0.isEmpty }
  }

  /// The buckets that overlap `range`.
  func overlapping(_ range: Range<Int>) -> [Int] {
    ranges.indices.filter { ranges[$0].overlaps(range) }
  }
}
