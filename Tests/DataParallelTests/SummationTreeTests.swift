import Testing

@testable import DataParallel

@Suite struct SummationTreeTests {
  /// A sum with the text of its additions: equal texts mean the same additions in the same order.
  private typealias Sum = (root: Subtree, text: String)

  private func join(_ parts: [Sum]) -> [Sum] {
    var sum = TreeSum<String>()
    for (subtree, text) in parts { sum.append(text, of: subtree) { "(\($0)+\($1))" } }
    return zip(sum.roots, sum.parts).map { (root: $0, text: $1) }
  }

  private func fold(_ run: Range<Int>) -> [Sum] {
    join(run.map { (root: Subtree(level: 0, index: $0), text: "\($0)") })
  }

  /// The text of the tree by its definition: left half plus right half.
  private func tree(_ leaves: Range<Int>) -> String {
    if leaves.count == 1 { return "\(leaves.lowerBound)" }
    let middle = leaves.lowerBound + leaves.count / 2
    return "(\(tree(leaves.lowerBound..<middle))+\(tree(middle..<leaves.upperBound)))"
  }

  @Test func coverReturnsTheFewestSubtreesOfARun() {
    for start in 0..<33 {
      for end in start..<33 {
        let cover = Subtree.cover(start..<end)
        #expect(cover.flatMap { Array($0.leaves) } == Array(start..<end))
        // Every subtree is as large as possible: its parent is not inside the run.
        for subtree in cover {
          let parent = Subtree(level: subtree.level + 1, index: subtree.index / 2)
          #expect(parent.leaves.clamped(to: start..<end) != parent.leaves)
        }
      }
    }
  }

  @Test func onlySiblingsJoin() {
    let left = Subtree(level: 1, index: 2)
    #expect(left.joined(with: Subtree(level: 1, index: 3)) == Subtree(level: 2, index: 1))
    #expect(Subtree(level: 1, index: 1).joined(with: Subtree(level: 1, index: 2)) == nil)
    #expect(left.joined(with: Subtree(level: 0, index: 6)) == nil)
    #expect(left.joined(with: Subtree(level: 1, index: 4)) == nil)
  }

  /// For any division of the leaves over ranks and threads, the additions are those of one tree.
  @Test(arguments: [1, 2, 4, 8, 16, 32])
  func theDivisionIntoRunsDoesNotChangeTheAdditions(leaves: Int) {
    for ranks in 1...9 {
      for threads in 1...4 {
        let assignment = LeafAssignment(leaves: leaves, ranks: ranks, threads: threads)
        let held = (0..<ranks).map { rank in
          join((0..<threads).flatMap { fold(assignment.run(rank: rank, thread: $0)) })
        }
        #expect(join(held.flatMap { $0 }).map(\.text) == [tree(0..<leaves)])
        for rank in 0..<ranks {
          #expect(held[rank].map(\.root) == Subtree.cover(assignment.run(rank: rank)))
        }
      }
    }
  }

  @Test(arguments: [1, 2, 4, 8, 16, 32])
  func everyLeafHasOneWorkerAndRunsAreEven(leaves: Int) {
    for workers in 1...9 {
      let runs = (0..<workers).map {
        LeafAssignment(leaves: leaves, ranks: workers, threads: 1).run(rank: $0, thread: 0)
      }
      #expect(runs.flatMap { Array($0) } == Array(0..<leaves))
      let sizes = runs.map(\.count)
      #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1, "\(sizes)")
    }
  }

  @Test func aRankWithAPowerOfTwoWorkersHoldsOneSubtree() {
    let assignment = LeafAssignment(leaves: 16, ranks: 4, threads: 2)
    for rank in 0..<4 { #expect(Subtree.cover(assignment.run(rank: rank)).count == 1) }
  }
}
