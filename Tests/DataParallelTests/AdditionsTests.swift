import RandomNumbers
import Testing

@testable import DataParallel

@Suite struct AdditionsTests {
  /// Lengths within a piece, of whole pieces, and of a piece and a rest.
  private static let counts = [1, 1000, Additions.piece, 2 * Additions.piece + 17]

  private func numbers(_ buffer: Int, count: Int) -> [Float] {
    let stream = RandomStream(seed: 5, purpose: .probe, buffer)
    return (0..<UInt64(count)).map { stream.uniform($0) - 0.5 }
  }

  /// The sums of `run`, by the definition of the tree.
  private func tree(_ leaves: Range<Int>, count: Int) -> [Float] {
    if leaves.count == 1 { return numbers(leaves.lowerBound, count: count) }
    let middle = leaves.lowerBound + leaves.count / 2
    return zip(
      tree(leaves.lowerBound..<middle, count: count), tree(middle..<leaves.upperBound, count: count)
    ).map { $0 + $1 }
  }

  /// Runs `additions` on copies of `inputs`; the first sum is written over buffer `over`, if any.
  private func sums(_ additions: Additions, _ inputs: [[Float]], over: Int? = nil) -> [[Float]] {
    let count = inputs[0].count
    let parts = inputs.map { input in
      let part = UnsafeMutablePointer<Float>.allocate(capacity: count)
      part.initialize(from: input, count: count)
      return part
    }
    let results = (0..<additions.outputs).map { index in
      index == 0 ? over.map { parts[$0] } ?? .allocate(capacity: count) : .allocate(capacity: count)
    }
    additions(parts.map { UnsafePointer($0) }, count: count, into: results)
    let sums = results.map { Array(UnsafeBufferPointer(start: $0, count: count)) }
    for (index, part) in parts.enumerated() where index != over {
      #expect(Array(UnsafeBufferPointer(start: part, count: count)) == inputs[index])
    }
    for pointer in Set(parts + results) { pointer.deallocate() }
    return sums
  }

  /// The leaves are divided over ranks in any way, also where a rank holds several subtrees.
  @Test(arguments: counts, 1...9) func partsAreAddedInTreeOrder(count: Int, ranks: Int) {
    let roots = (0..<ranks).flatMap {
      Subtree.cover(LeafAssignment(leaves: 16, ranks: ranks, threads: 1).run(rank: $0))
    }
    let expected = tree(0..<16, count: count)
    for over in [nil] + roots.indices.map(Optional.init) {
      let found = sums(
        Additions(roots), roots.map { tree($0.leaves, count: count) }, over: over)
      #expect(found == [expected])
    }
  }

  /// The leaves 3 ..< 12 of a host are the subtrees of 3, of 4 ..< 8 and of 8 ..< 12.
  @Test(arguments: counts) func aHostKeepsItsRoots(count: Int) {
    let parts = (3..<12).map { Subtree(level: 0, index: $0) }
    let additions = Additions(parts)
    #expect(additions.roots == Subtree.cover(3..<12))
    let found = sums(additions, parts.map { tree($0.leaves, count: count) })
    #expect(found == [3..<4, 4..<8, 8..<12].map { tree($0, count: count) })
  }

  @Test(arguments: 1...5) func orderedSumsBeginWithTheFirstBuffer(buffers: Int) {
    let inputs = (0..<buffers).map { numbers($0, count: 5000) }
    let expected = inputs.dropFirst().reduce(inputs[0]) { zip($0, $1).map { $0 + $1 } }
    for over in 0..<buffers {
      #expect(sums(Additions(inOrder: buffers), inputs, over: over) == [expected])
    }
  }

  @Test func aHostWithoutLeavesHasNoSums() {
    #expect(Additions([]).outputs == 0)
    #expect(Additions([]).roots == [])
  }
}
