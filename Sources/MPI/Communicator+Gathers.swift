internal import CMPI

// Gather, scatter and all-gather. All ranks have all counts, so each computes the number of rounds
// from the largest block, without a message.
extension Communicator {
  /// Collects equal blocks, in rank order, into `result` on rank `root`; every rank must call, with
  /// the same count (MPI Standard 3.1, section 5.5).
  ///
  /// `result` is written on the root only. Traffic: each block goes to the root.
  package func gather<T: MPIScalar>(
    _ block: UnsafeBufferPointer<T>, into result: UnsafeMutableBufferPointer<T>, to root: Int = 0
  ) throws(MPIError) {
    requireRank(root)
    let isRoot = rank == root
    let layout = BlockLayout(packing: Array(repeating: isRoot ? block.count : 0, count: size))
    if isRoot { require(layout, in: result.count) }
    let rounds = rounds(of: block.count, chunk: blockChunk)
    for index in 0..<rounds {
      let start = index * blockChunk
      let round = BlockRound(
        index, chunk: blockChunk, of: layout, in: result.baseAddress, reach: maximumCount,
        tables: tables)
      try check(
        MPI_Gatherv(
          block.baseAddress.map { $0 + start }, Int32(min(blockChunk, block.count - start)),
          T.datatype, round.pointer, round.counts, round.offsets, T.datatype, Int32(root), handle),
        "MPI_Gatherv")
      round.unpack(to: result.baseAddress)
    }
    let bytes = block.count * MemoryLayout<T>.stride
    traffic.record(
      calls: rounds, sent: isRoot ? 0 : bytes, received: isRoot ? bytes * (size - 1) : 0)
  }

  /// Distributes equal blocks of `source` on rank `root`, in rank order, to `block`; every rank
  /// must call, with the same count (MPI Standard 3.1, section 5.6).
  ///
  /// `source` is read on the root only. Traffic: each block comes from the root.
  package func scatter<T: MPIScalar>(
    _ source: UnsafeBufferPointer<T>, into block: UnsafeMutableBufferPointer<T>,
    from root: Int = 0
  ) throws(MPIError) {
    requireRank(root)
    let isRoot = rank == root
    let layout = BlockLayout(packing: Array(repeating: isRoot ? block.count : 0, count: size))
    if isRoot { require(layout, in: source.count) }
    let rounds = rounds(of: block.count, chunk: blockChunk)
    for index in 0..<rounds {
      let start = index * blockChunk
      let round = BlockRound(
        index, chunk: blockChunk, of: layout,
        in: UnsafeMutablePointer(mutating: source.baseAddress), reach: maximumCount,
        tables: tables)
      round.pack(from: source.baseAddress)
      try check(
        MPI_Scatterv(
          round.pointer, round.counts, round.offsets, T.datatype,
          block.baseAddress.map { $0 + start }, Int32(min(blockChunk, block.count - start)),
          T.datatype, Int32(root), handle),
        "MPI_Scatterv")
    }
    let bytes = block.count * MemoryLayout<T>.stride
    traffic.record(
      calls: rounds, sent: isRoot ? bytes * (size - 1) : 0, received: isRoot ? 0 : bytes)
  }

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
      try check(
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
      try check(
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
