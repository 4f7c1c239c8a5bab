internal import CMPI

// All-gather. All ranks have all counts, so each computes the number of rounds
// from the largest block, without a message.
extension Communicator {
  /// Collects equal blocks, in rank order, into `result` on every rank; every rank must call, with
  /// the same count (MPI Standard 3.1, section 5.7).
  ///
  /// The two buffers must not overlap. Traffic: a ring, in which each rank's block is passed on
  /// N − 1 times.
  package func allGather<T: MPIScalar>(
    _ block: UnsafeBufferPointer<T>, into result: UnsafeMutableBufferPointer<T>
  ) throws(MPIError) {
    let total = block.count * size
    precondition(total <= result.count, "\(total) elements into a buffer of \(result.count)")
    if total > maximumCount {
      let own = rank * block.count..<(rank + 1) * block.count
      _ = UnsafeMutableBufferPointer(rebasing: result[own]).update(fromContentsOf: block)
      try allGatherV(
        inPlace: result, BlockLayout(packing: Array(repeating: block.count, count: size)))
    } else if total > 0 {
      try collective(
        MPI_Allgather(
          block.baseAddress, Int32(block.count), T.datatype, result.baseAddress,
          Int32(block.count), T.datatype, handle),
        "MPI_Allgather")
      let bytes = block.count * (size - 1) * MemoryLayout<T>.stride
      traffic.record(calls: 1, sent: bytes, received: bytes)
    }
  }

  /// Collects the ranks' blocks, each of its own length, into every rank's buffer; every rank must
  /// call, with the same counts (MPI Standard 3.1, section 5.7).
  ///
  /// Before the call, `buffer` has the rank's own block at its displacement; after it, all blocks.
  /// Traffic: a ring, in which each rank's block is passed on N − 1 times.
  package func allGatherV<T: MPIScalar>(
    inPlace buffer: UnsafeMutableBufferPointer<T>, _ layout: BlockLayout
  ) throws(MPIError) {
    require(layout, in: buffer.count)
    let rounds = rounds(of: layout.largestCount, chunk: blockChunk)
    for index in 0..<rounds {
      let round = BlockRound(
        index, chunk: blockChunk, of: layout, in: buffer.baseAddress, reach: maximumCount,
        tables: tables)
      round.pack(from: UnsafePointer(buffer.baseAddress))
      try collective(
        MPI_Allgatherv(
          cmpi_in_place(), 0, T.datatype, round.pointer, round.counts, round.offsets, T.datatype,
          handle),
        "MPI_Allgatherv")
      round.unpack(to: buffer.baseAddress)
    }
    let own = layout.counts[rank]
    traffic.record(
      calls: rounds, sent: own * (size - 1) * MemoryLayout<T>.stride,
      received: (layout.total - own) * MemoryLayout<T>.stride)
  }
}
