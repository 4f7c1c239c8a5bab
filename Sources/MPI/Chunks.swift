// Cutting what MPI's 32-bit counts cannot express. Every rule here is a function of numbers that
// all ranks share, so that all make the same number of calls.
extension Communicator {
  /// The next piece of at most ``maximumCount`` of `count` elements, or nil at the end.
  func nextChunk(of count: Int, from position: inout Int) -> (start: Int, count: Int32)? {
    guard position < count else { return nil }
    let start = position
    let length = min(maximumCount, count - start)
    position += length
    return (start, Int32(length))
  }

  /// The number of pieces of at most ``maximumCount`` in `count` elements.
  func chunkCount(of count: Int) -> Int {
    rounds(of: count, chunk: maximumCount)
  }

  /// The elements of each block that one call carries, so that all blocks of a call together stay
  /// within ``maximumCount``: implementations multiply a block's count by the number of ranks.
  var blockChunk: Int {
    max(1, maximumCount / size)
  }

  /// The same for an all-to-all of `T`, within ``maximumAllToAllBytes`` as well.
  func allToAllChunk<T>(of type: T.Type) -> Int {
    max(1, min(blockChunk, maximumAllToAllBytes / (size * MemoryLayout<T>.stride)))
  }

  /// The number of pieces of at most `chunk` in `count` elements.
  func rounds(of count: Int, chunk: Int) -> Int {
    count / chunk + (count % chunk == 0 ? 0 : 1)
  }

  func requireRank(_ other: Int) {
    precondition(0..<size ~= other, "rank \(other) is not one of the group's \(size)")
  }

  func require(_ layout: BlockLayout, in count: Int) {
    precondition(
      layout.counts.count == size, "\(layout.counts.count) blocks for a group of \(size) ranks")
    precondition(
      layout.extent <= count, "blocks that end at \(layout.extent) in a buffer of \(count)")
  }
}
