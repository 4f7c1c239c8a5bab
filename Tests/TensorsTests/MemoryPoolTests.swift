import Testing

@testable import Tensors

@Suite struct MemoryPoolTests {
  @Test func sizeClassesWasteAtMostAnEighth() {
    var last = 0
    for bytes in (0...5000).map({ $0 }) + [65_535, 65_536, 65_537, 1 << 22, (1 << 30) + 1] {
      let size = MemoryPool.sizeClass(bytes)
      #expect(size >= bytes && size % 64 == 0 && size >= last, "\(bytes) bytes")
      #expect(size <= max(64, bytes + max(64, bytes / 8 + 1)), "\(bytes) bytes in \(size)")
      #expect(MemoryPool.sizeClass(size) == size)
      last = size
    }
  }

  @Test func releasedBlocksAreReused() {
    let pool = MemoryPool()
    let first = pool.take(bytes: 1000)
    let second = pool.take(bytes: 1000)
    #expect(first != second)
    #expect(pool.systemAllocations == 2)
    pool.give(back: first, bytes: 1000)
    // A similar size belongs to the same class.
    let third = pool.take(bytes: 980)
    #expect(third == first)
    #expect(pool.systemAllocations == 2)
    #expect(pool.bytesHeld == 2 * MemoryPool.sizeClass(1000))
    pool.give(back: second, bytes: 1000)
    pool.give(back: third, bytes: 980)
  }

  /// Memory of one part of a step serves the next part with other sizes.
  @Test func largeBlocksAreSplitAndMerged() {
    let pool = MemoryPool()
    let sizes = [1 << 20, 3 << 20, (2 << 20) + 1]
    let whole = sizes.reduce(0) { $0 + MemoryPool.sizeClass($1) }
    pool.give(back: pool.take(bytes: whole), bytes: whole)
    for _ in 0..<3 {
      let blocks = sizes.map { pool.take(bytes: $0) }
      #expect(Set(blocks).count == sizes.count)
      for (block, bytes) in zip(blocks, sizes).reversed() { pool.give(back: block, bytes: bytes) }
    }
    #expect(pool.systemAllocations == 1)
    #expect(pool.bytesHeld == whole)
  }

  @Test(arguments: [1, 64, 4096, 100_000, 300_000, 5 << 20]) func blocksAreAligned(bytes: Int) {
    let pool = MemoryPool()
    let block = pool.take(bytes: bytes)
    #expect(UInt(bitPattern: block) % (bytes >= 4 << 20 ? 2 << 20 : 64) == 0)
    pool.give(back: block, bytes: bytes)
  }

  @Test func tensorsReleaseTheirMemoryWithTheLastReference() {
    let workspace = Workspace()
    var address: UnsafeMutablePointer<Float>?
    do {
      let x = Tensor(repeating: 1, shape: [100], in: workspace)
      address = x.pointer
      let view = x[rows: 10..<20]
      #expect(Tensor(repeating: 2, shape: [100], in: workspace).pointer != address)
      #expect(view.values == [Float](repeating: 1, count: 10))
    }
    let count = workspace.pool.systemAllocations
    let again = (0..<2).map { _ in Tensor(repeating: 3, shape: [100], in: workspace) }
    #expect(again.contains { $0.pointer == address })
    #expect(workspace.pool.systemAllocations == count)
  }

  @Test func aResultOutlivesItsWorkspace() {
    var result: Tensor?
    do {
      let workspace = Workspace()
      result = Tensor([1, 2, 3], shape: [3], in: workspace) * 2
    }
    #expect(result?.values == [2, 4, 6])
    result = nil
  }

  @Test func theSecondPassAllocatesNothingFromTheSystem() {
    let workspace = Workspace()
    func pass() {
      let x = workspace.probe([33, 12], 1)
      _ = valueWithGradient(at: [x]) { points in
        let y = points[0].packedCausalAttention(sequences: 3, heads: 2)
        return (y.gelu() * y).crossEntropyConsumingLogits(
          targets: [Int32](repeating: 1, count: 33)
        ).sum()
      }
    }
    pass()
    let count = workspace.pool.systemAllocations
    let bytes = workspace.pool.bytesHeld
    for _ in 0..<3 { pass() }
    #expect(workspace.pool.systemAllocations == count)
    #expect(workspace.pool.bytesHeld == bytes)
  }
}
