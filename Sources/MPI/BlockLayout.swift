/// Where each rank's block lies in a buffer, in elements; the blocks of a v-collective.
///
/// Make it once and use it for many calls. MPI forbids overlapping blocks where it writes
/// (MPI Standard 3.1, section 5.7); this is the caller's to ensure.
public struct BlockLayout: Equatable, Sendable {
  /// The elements in each rank's block.
  public let counts: [Int]
  /// Where each rank's block starts.
  public let displacements: [Int]
  /// Where the block that reaches farthest ends.
  public let extent: Int
  /// The elements in all blocks together.
  public let total: Int
  /// The elements in the largest block.
  public let largestCount: Int

  /// The blocks of `counts[r]` elements from `displacements[r]` for each rank r.
  public init(counts: [Int], displacements: [Int]) {
    precondition(
      counts.count == displacements.count,
      "\(counts.count) counts with \(displacements.count) displacements")
    precondition(
      counts.allSatisfy { $0 >= 0 } && displacements.allSatisfy { $0 >= 0 },
      "a negative count or displacement in \(counts), \(displacements)")
    self.counts = counts
    self.displacements = displacements
    // An empty block reaches nowhere, whatever its displacement.
    extent = zip(counts, displacements).map { $0 == 0 ? 0 : $0 + $1 }.max() ?? 0
    total = counts.reduce(0, +)
    largestCount = counts.max() ?? 0
  }

  /// Blocks of `counts[r]` elements that follow one another without a gap.
  public init(packing counts: [Int]) {
    var end = 0
    let displacements = counts.map { count in
      defer { end += count }
      return end
    }
    self.init(counts: counts, displacements: displacements)
  }
}
