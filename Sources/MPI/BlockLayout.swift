/// The counts and displacements of the ranks' blocks in the buffer of a v-collective, in elements.
///
/// Make it once and use it for many calls. MPI forbids overlapping blocks in a buffer that it
/// writes (MPI Standard 3.1, section 5.7); the caller must ensure this.
package struct BlockLayout: Equatable, Sendable {
  /// The number of elements in each rank's block.
  package let counts: [Int]
  /// The start of each rank's block.
  package let displacements: [Int]
  /// The end of the block that ends last; 0 when all blocks are empty.
  package let extent: Int
  /// The number of elements in all blocks together.
  package let total: Int
  /// The number of elements in the largest block.
  package let largestCount: Int

  /// Makes blocks of `counts[r]` elements from `displacements[r]` for each rank r.
  package init(counts: [Int], displacements: [Int]) {
    precondition(
      counts.count == displacements.count,
      "\(counts.count) counts with \(displacements.count) displacements")
    precondition(
      counts.allSatisfy { $0 >= 0 } && displacements.allSatisfy { $0 >= 0 },
      "a negative count or displacement in \(counts), \(displacements)")
    self.counts = counts
    self.displacements = displacements
    // The displacement of an empty block does not matter.
    extent = zip(counts, displacements).map { $0 == 0 ? 0 : $0 + $1 }.max() ?? 0
    total = counts.reduce(0, +)
    largestCount = counts.max() ?? 0
  }

  /// Makes blocks of `counts[r]` elements that follow one another without a gap.
  package init(packing counts: [Int]) {
    var end = 0
    let displacements = counts.map { count in
      defer { end += count }
      return end
    }
    self.init(counts: counts, displacements: displacements)
  }
}
