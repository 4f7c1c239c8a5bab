import Testing

@testable import DataParallel

/// The division of a step over ranks that need not exist is that of the ranks that do.
@Suite struct ExchangeVolumeTests {
  private func volume(
    _ ranks: Int, workers: Int = 1, leaves: Int = 8, _ reduction: GradientReduction = .exact
  ) -> ExchangeVolume {
    ExchangeVolume(
      elements: 3 << 20, leaves: leaves, ranks: ranks, workers: workers, reduction: reduction)
  }

  /// Ranks that hold whole subtrees send one buffer; of eight leaves, the second of three ranks has 2,
  /// 3 and 4, of which two make a node.
  @Test(arguments: [(1, 1), (2, 1), (3, 2), (4, 1), (8, 1), (16, 1)])
  func partsAreTheNodesOfARank(ranks: Int, parts: Int) {
    #expect(volume(ranks).parts == parts)
    #expect(volume(ranks, .fast).parts == 1)
  }

  /// Two hosts of two ranks hold half the leaves each; of three hosts, the second holds 5 ..< 10 of
  /// sixteen: 5, 6 ..< 8 and 8 ..< 10.
  @Test(arguments: [(4, 2, 1), (4, 4, 1), (8, 2, 1), (6, 2, 3), (6, 1, 2), (6, 6, 1)])
  func partsOfAHostAreTheNodesOfItsRanks(ranks: Int, ranksPerHost: Int, parts: Int) {
    let volume = ExchangeVolume(
      elements: 3 << 20, leaves: 16, ranks: ranks, ranksPerHost: ranksPerHost, workers: 1,
      reduction: .exact)
    #expect(volume.partsPerHost == parts && volume.hasTwoLevels == (ranksPerHost > 1))
  }

  @Test(arguments: [(1, 1, 8), (2, 1, 4), (3, 1, 3), (3, 2, 2), (4, 2, 1), (16, 4, 1)])
  func roundsAreThoseOfTheBusiestWorker(ranks: Int, workers: Int, rounds: Int) {
    #expect(volume(ranks, workers: workers).rounds == rounds)
    let assignment = LeafAssignment(leaves: 8, ranks: ranks, threads: workers)
    let runs = (0..<ranks).flatMap { rank in
      (0..<workers).map { assignment.run(rank: rank, thread: $0).count }
    }
    #expect(runs.max() == rounds)
  }

  /// Three million elements are three buckets of a million, at most.
  @Test func bucketsAreThoseOfTheBuffer() {
    #expect(volume(2).buckets == Buckets(count: 3 << 20, ranks: 2).ranges.count)
    #expect(volume(2).buckets >= 3)
  }
}
