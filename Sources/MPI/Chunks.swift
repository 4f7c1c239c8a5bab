// The division of buffers that exceed MPI's 32-bit counts. Every result is a function of numbers
// that all ranks share, so that all ranks make the same number of calls.
extension Communicator {
  /// Returns the next piece, at most ``maximumCount`` of `count` elements, or nil at the end.
  func nextChunk(of count: Int, from position: inout Int) -> (start: Int, count: Int32)? {
    guard position < count else { return nil }
    let start = position
    let length = min(maximumCount, count - start)
    position += length
    return (start, Int32(length))
  }

  /// Returns the number of pieces of at most ``maximumCount`` in `count` elements.
  func chunkCount(of count: Int) -> Int {
    rounds(of: count, chunk: maximumCount)
  }

  /// The most elements of each block that one call carries.
  ///
  /// All blocks of a call together stay within ``maximumCount``, because implementations multiply a
  /// block's count by the number of ranks.
  var blockChunk: Int {
    max(1, maximumCount / size)
  }

  /// Returns the most elements of each block that one all-to-all of `T` carries, within
  /// ``maximumCount`` and ``maximumAllToAllBytes``.
  func allToAllChunk<T>(of type: T.Type) -> Int {
    max(1, min(blockChunk, maximumAllToAllBytes / (size * MemoryLayout<T>.stride)))
  }

  /// Returns the number of pieces of at most `chunk` in `count` elements.
  func rounds(of count: Int, chunk: Int) -> Int {
    count / chunk + (count % chunk == 0 ? 0 : 1)
  }

  func requireRank(_ other: Int) {
    precondition(0..<size ~= other, "rank \(other) is not one of the communicator's \(size)")
  }

  func require(_ layout: BlockLayout, in count: Int) {
    precondition(
      layout.counts.count == size,
      "\(layout.counts.count) blocks for a communicator of \(size) ranks")
    precondition(
      layout.extent <= count, "blocks that end at \(layout.extent) in a buffer of \(count)")
  }
}
