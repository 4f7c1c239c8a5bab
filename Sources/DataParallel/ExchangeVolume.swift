/// The division of a step's work and of its exchange over ranks that need not exist.
package struct ExchangeVolume: Sendable, Equatable {
  /// The most leaves that a worker computes one after another.
  package let rounds: Int
  /// The most buffers of the gradient that a rank sends.
  package let parts: Int
  /// The most sums of gradients that a host sends to others in an exact reduction.
  package let partsPerHost: Int
  /// True when ranks of a host share memory, and one of them sends for all.
  package let hasTwoLevels: Bool
  /// The pieces in which the gradient is exchanged.
  package let buckets: Int

  /// - Parameters:
  ///   - elements: The elements of the flat gradient.
  ///   - leaves: The leaves of the summation tree, a power of two.
  ///   - ranksPerHost: The ranks of each host; a divisor of `ranks`.
  ///   - workers: The workers of each rank.
  package init(
    elements: Int, leaves: Int, ranks: Int, ranksPerHost: Int = 1, workers: Int,
    reduction: GradientReduction
  ) {
    let assignment = LeafAssignment(leaves: leaves, ranks: ranks, threads: workers)
    let runs = (0..<ranks).map { assignment.run(rank: $0) }
    rounds = (leaves + ranks * workers - 1) / (ranks * workers)
    parts = reduction == .fast ? 1 : runs.map { Subtree.cover($0).count }.max() ?? 1
    partsPerHost =
      stride(from: 0, to: ranks, by: ranksPerHost).map { first in
        let last = min(ranks, first + ranksPerHost) - 1
        return Subtree.cover(runs[first].lowerBound..<runs[last].upperBound).count
      }.max() ?? 1
    hasTwoLevels =
      ranksPerHost > 1 && MemorySharing.isWorthIt(hosts: ranks / ranksPerHost, elements: elements)
    buckets = Buckets(count: elements, ranks: ranks).ranges.count
  }
}
