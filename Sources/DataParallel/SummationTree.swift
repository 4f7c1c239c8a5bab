// The fixed binary tree in which micro-batch gradients are added.
//
// Leaves 0 ..< L (L a power of two) stand in order; node (level, index) covers the leaves
// index·2^level ..< (index + 1)·2^level and is the sum of its two halves, left + right. A worker
// holds a run of leaves; what it can add without its neighbours are the largest whole subtrees of
// the run. However the leaves are cut into runs, the additions made are those of the tree, so the
// bits of the root do not depend on the cut.

/// A node of the tree.
struct Subtree: Hashable, Sendable {
  let level: Int
  let index: Int

  /// The leaves below.
  var leaves: Range<Int> { index << level..<(index + 1) << level }

  /// The sum of this node and `right`, if they are the two halves of one node.
  func joined(with right: Subtree) -> Subtree? {
    guard level == right.level, index % 2 == 0, right.index == index + 1 else { return nil }
    return Subtree(level: level + 1, index: index / 2)
  }

  /// The largest whole subtrees of a run of leaves, in order.
  static func cover(_ run: Range<Int>) -> [Subtree] {
    var roots: [Subtree] = []
    for leaf in run { roots.appendJoining(Subtree(level: 0, index: leaf)) { _, _ in } }
    return roots
  }
}

extension [Subtree] {
  /// Appends `subtree` and joins halves as long as there are two; `join` tells which place takes
  /// up which.
  mutating func appendJoining(_ subtree: Subtree, _ join: (_ into: Int, _ from: Int) -> Void) {
    append(subtree)
    while count >= 2, let whole = self[count - 2].joined(with: self[count - 1]) {
      join(count - 2, count - 1)
      removeLast(2)
      append(whole)
    }
  }
}

/// Which worker computes which leaves.
struct LeafAssignment: Sendable {
  let leaves: Int
  let ranks: Int
  let threads: Int

  /// The leaves of worker `thread` of `rank`: equal contiguous runs over all workers in order.
  func run(rank: Int, thread: Int) -> Range<Int> {
    let workers = ranks * threads
    let worker = rank * threads + thread
    return worker * leaves / workers..<(worker + 1) * leaves / workers
  }

  /// The leaves of all workers of `rank`.
  func run(rank: Int) -> Range<Int> {
    run(rank: rank, thread: 0).lowerBound..<run(rank: rank, thread: threads - 1).upperBound
  }
}
