/// The flat gradient cut into the pieces that travel together.
///
/// The unit is a block of 4,096 elements, fixed whatever the number of ranks: norms are summed by
/// block, and a rank owns whole blocks. A bucket is a run of blocks; buckets count from the end of
/// the buffer, where the backward pass finishes first. Every bucket is cut into one slice per rank,
/// so that all ranks work on every bucket at the same time.
struct Buckets: Sendable {
  /// Elements in a block.
  static let block = 4096
  /// Elements in the flat buffer.
  let count: Int
  let ranks: Int
  /// Ranges of the flat buffer, last first.
  let ranges: [Range<Int>]

  init(count: Int, ranks: Int) {
    self.count = count
    self.ranks = ranks
    let blocks = (count + Buckets.block - 1) / Buckets.block
    // About 4 MiB each; small models still get eight, for overlap.
    let size = min(256, max(16, blocks / 8)) * Buckets.block
    ranges = stride(from: (blocks * Buckets.block - 1) / size * size, through: 0, by: -size).map {
      $0..<min($0 + size, count)
    }
  }

  /// Number of blocks in the flat buffer.
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

  /// Sizes and places (relative to the bucket) of all ranks' slices.
  func slices(_ bucket: Int) -> [Range<Int>] {
    (0..<ranks).map {
      let slice = slice(bucket, rank: $0)
      let start = ranges[bucket].lowerBound
      return slice.lowerBound - start..<slice.upperBound - start
    }
  }

  /// Everything `rank` owns, bucket by bucket; empty slices left out.
  func owned(by rank: Int) -> [Range<Int>] {
    ranges.indices.map { slice($0, rank: rank) }.filter { !$0.isEmpty }
  }

  /// The buckets that overlap `range`.
  func overlapping(_ range: Range<Int>) -> [Int] {
    ranges.indices.filter { ranges[$0].overlaps(range) }
  }
}
