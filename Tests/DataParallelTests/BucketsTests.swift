import Testing

@testable import DataParallel

@Suite struct BucketsTests {
  private static let counts = [1, 16, 4095, 4096, 4097, 65_536, 65_552, 100_000, 3_000_000]

  @Test(arguments: counts, [1, 2, 3, 4, 7])
  func slicesPartitionTheBuffer(count: Int, ranks: Int) {
    let buckets = Buckets(count: count, ranks: ranks)
    let owned = (0..<ranks).flatMap { buckets.owned(by: $0) }.sorted {
      $0.lowerBound < $1.lowerBound
    }
    #expect(owned.first?.lowerBound == 0)
    #expect(owned.last?.upperBound == count)
    for (range, next) in zip(owned, owned.dropFirst()) {
      #expect(range.upperBound == next.lowerBound)
    }
    #expect(owned.allSatisfy { $0.lowerBound % Buckets.block == 0 && !$0.isEmpty })
  }

  /// The backward pass finishes the end of the buffer first.
  @Test(arguments: counts)
  func bucketsAreOrderedFromTheEndToTheStart(count: Int) {
    let ranges = Buckets(count: count, ranks: 2).ranges
    #expect(ranges.first?.upperBound == count)
    #expect(ranges.last?.lowerBound == 0)
    for (later, earlier) in zip(ranges, ranges.dropFirst()) {
      #expect(earlier.upperBound == later.lowerBound)
    }
    #expect(ranges.allSatisfy { $0.count <= 4 << 20 / 4 })
  }

  @Test(arguments: counts, [1, 3, 4])
  func slicesAreRelativeToTheBucket(count: Int, ranks: Int) {
    let buckets = Buckets(count: count, ranks: ranks)
    for (bucket, range) in buckets.ranges.enumerated() {
      for (rank, slice) in buckets.slices(bucket).enumerated() {
        let whole = buckets.slice(bucket, rank: rank)
        #expect(slice.lowerBound + range.lowerBound == whole.lowerBound)
        #expect(slice.upperBound + range.lowerBound == whole.upperBound)
      }
    }
  }

  /// The blocks, and therefore the norm, do not depend on the number of ranks.
  @Test func bucketsAreTheSameForAnyNumberOfRanks() {
    for count in Self.counts {
      let ranges = Buckets(count: count, ranks: 1).ranges
      for ranks in 2...5 { #expect(Buckets(count: count, ranks: ranks).ranges == ranges) }
    }
  }

  @Test func overlappingReturnsTheBucketsOfARange() {
    let buckets = Buckets(count: 200_000, ranks: 1)
    for (bucket, range) in buckets.ranges.enumerated() {
      #expect(buckets.overlapping(range) == [bucket])
      #expect(buckets.overlapping(range.lowerBound..<range.lowerBound + 1) == [bucket])
    }
    #expect(buckets.overlapping(0..<200_000) == Array(buckets.ranges.indices))
    #expect(buckets.overlapping(5..<5) == [])
  }

  @Test func ranksOwnEqualParts() {
    let buckets = Buckets(count: 30_000_000, ranks: 4)
    for rank in 0..<4 {
      let owned = buckets.owned(by: rank).reduce(0) { $0 + $1.count }
      #expect(abs(owned - 7_500_000) < 75_000)
    }
  }
}
