// The fixed binary tree in which micro-batch gradients are added.
//
// The leaves are 0 ..< L in order, with L a power of two. Node (level, index) covers the leaves
// index·2^level ..< (index + 1)·2^level and is the sum of its two children, left + right. A worker
// computes a run of leaves. Without its neighbours it can add the largest whole subtrees of the
// run. For any division of the leaves into runs, the additions are those of the tree, so the bits
// of the root do not depend on the division.

/// A node of the summation tree, with the subtree below it.
struct Subtree: Hashable, Sendable {
  let level: Int
  let index: Int

  /// The leaves below this node.
  var leaves: Range<Int> { index << level..<(index + 1) << level }

  /// Returns the parent of this node and `right` if they are its left and right child, otherwise
  /// nil.
  func joined(with right: Subtree) -> Subtree? {
    guard level == right.level, index % 2 == 0, right.index == index + 1 else { return nil }
    return Subtree(level: level + 1, index: index / 2)
  }

  /// Returns the largest whole subtrees of a run of leaves, in order.
  static func cover(_ run: Range<Int>) -> [Subtree] {
    var sum = TreeSum<Void>()
    for leaf in run { sum.append((), of: Subtree(level: 0, index: leaf)) { _, _ in } }
    return sum.roots
  }
}

/// A sum in the order of the tree, of parts that arrive in leaf order.
///
/// Parts that are siblings are added as soon as both are there. Every addition of gradients in exact
/// mode, in a worker, in a rank and among ranks, goes through here.
struct TreeSum<Part> {
  /// The largest whole subtrees of the leaves so far, in order.
  private(set) var roots: [Subtree] = []
  /// The sums of `roots`.
  private(set) var parts: [Part] = []

  /// Appends the sum of `subtree`, whose leaves follow those so far.
  ///
  /// - Parameter add: Returns the sum of two siblings; it may be written over the left one.
  mutating func append(
    _ part: Part, of subtree: Subtree, _ add: (_ left: Part, _ right: Part) -> Part
  ) {
    roots.append(subtree)
    parts.append(part)
    while roots.count >= 2, let parent = roots[roots.count - 2].joined(with: roots[roots.count - 1])
    {
      let right = parts.removeLast()
      parts.append(add(parts.removeLast(), right))
      roots.removeLast(2)
      roots.append(parent)
    }
  }
}

/// The assignment of leaves to workers.
struct LeafAssignment: Sendable {
  let leaves: Int
  let ranks: Int
  let threads: Int

  /// Returns the leaves of worker `thread` of `rank`.
  ///
  /// All workers, in order of rank and thread, have contiguous runs whose lengths differ by at most
  /// 1.
  func run(rank: Int, thread: Int) -> Range<Int> {
    let workers = ranks * threads
    let worker = rank * threads + thread
    return worker * leaves / workers..<(worker + 1) * leaves / workers
  }

  /// Returns the leaves of all workers of `rank`.
  func run(rank: Int) -> Range<Int> {
    run(rank: rank, thread: 0).lowerBound..<run(rank: rank, thread: threads - 1).upperBound
  }
}
