/// The division of the ranks over the workers of DiLoCo, each of which trains a copy of the model.
///
/// With more ranks than workers a worker is a group of consecutive ranks, which compute its gradient
/// together; with fewer a rank computes consecutive workers one after the other:
///
///     4 workers, 8 ranks   01|23|45|67      2 ranks per group, 1 worker per group
///     4 workers, 4 ranks   0|1|2|3          1 rank per group,  1 worker per group
///     4 workers, 2 ranks   0|1              1 rank per group,  2 workers per group
package struct WorkerGroups: Equatable, Sendable {
  package let workers: Int
  package let ranks: Int

  /// - Parameter workers: The number of workers, a power of two.
  /// - Returns: nil unless `ranks` is a multiple or a divisor of `workers`.
  package init?(workers: Int, ranks: Int) {
    precondition(workers > 0 && workers & (workers - 1) == 0, "\(workers) workers")
    guard ranks > 0, max(workers, ranks) % min(workers, ranks) == 0 else { return nil }
    self.workers = workers
    self.ranks = ranks
  }

  /// The number of groups.
  package var count: Int { min(workers, ranks) }
  /// The ranks of a group, which compute a gradient together.
  package var ranksPerGroup: Int { ranks / count }
  /// The workers that a group computes one after the other; a power of two.
  package var workersPerGroup: Int { workers / count }

  package func group(ofRank rank: Int) -> Int { rank / ranksPerGroup }

  package func ranks(ofGroup group: Int) -> Range<Int> {
    group * ranksPerGroup..<(group + 1) * ranksPerGroup
  }

  package func workers(ofGroup group: Int) -> Range<Int> {
    group * workersPerGroup..<(group + 1) * workersPerGroup
  }
}
