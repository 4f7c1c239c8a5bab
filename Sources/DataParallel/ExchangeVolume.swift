/// The division of a step's work and of its exchange over ranks that need not exist.
package struct ExchangeVolume: Sendable, Equatable {
  /// The most leaves that a worker computes one after another.
  package let rounds: Int
  /// The most buffers of the gradient that a rank sends.
  package let parts: Int
  /// The pieces in which the gradient is exchanged.
  package let buckets: Int

  /// - Parameters:
  ///   - elements: The elements of the flat gradient.
  ///   - leaves: The leaves of the summation tree, a power of two.
  ///   - workers: The workers of each rank.
  package init(
    elements: Int, leaves: Int, ranks: Int, workers: Int, reduction: GradientReduction
  ) {
    let assignment = LeafAssignment(leaves: leaves, ranks: ranks, threads: workers)
    let runs = (0..<ranks).map { assignment.run(rank: $0) }
    rounds = (leaves + ranks * workers - 1) / (ranks * workers)
    parts = reduction == .fast ? 1 : runs.map { Subtree.cover($0).count }.max() ?? 1
    buckets = Buckets(count: elements, ranks: ranks).ranges.count
  }
}
