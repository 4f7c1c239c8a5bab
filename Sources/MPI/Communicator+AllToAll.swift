internal import CMPI

extension Communicator {
  /// Sends block r of `source` to rank r, and receives that rank's block for this rank in block r
  /// of `result`; every rank must call (MPI Standard 3.1, section 5.8).
  ///
  /// The count for rank r in `sending` must be the count for this rank in r's `receiving`. The two
  /// buffers must not overlap.
  ///
  /// A call takes rounds of at most ``maximumAllToAllBytes`` per rank. All ranks must make the same
  /// number of rounds, although each has only its own row and column of the counts. The number
  /// follows from the largest count that any rank sends to any other. Pass that count as
  /// `largestBlock` where it is known, the same on every rank. If all ranks pass nil, an all-reduce
  /// of eight bytes finds it first (one more call, which ``traffic`` counts).
  ///
  /// Traffic: the bytes to and from the other ranks.
  package func allToAllV<T: MPIScalar>(
    _ source: UnsafeBufferPointer<T>, _ sending: BlockLayout,
    into result: UnsafeMutableBufferPointer<T>, _ receiving: BlockLayout,
    largestBlock: Int? = nil
  ) throws(MPIError) {
    require(sending, in: source.count)
    require(receiving, in: result.count)
    precondition(
      sending.counts[rank] == receiving.counts[rank],
      "\(sending.counts[rank]) elements to itself, and \(receiving.counts[rank]) from itself")
    let own = max(sending.largestCount, receiving.largestCount)
    var largest = largestBlock ?? 0
    if largestBlock == nil { largest = Int(try allReduce(Int64(own), .max)) }
    precondition(own <= largest, "a block of \(own) elements where the largest has \(largest)")

    let chunk = allToAllChunk(of: T.self)
    let rounds = rounds(of: largest, chunk: chunk)
    for index in 0..<rounds {
      let outgoing = BlockRound(
        index, chunk: chunk, of: sending, in: UnsafeMutablePointer(mutating: source.baseAddress),
        reach: maximumCount, tables: tables)
      let incoming = BlockRound(
        index, chunk: chunk, of: receiving, in: result.baseAddress, reach: maximumCount,
        tables: tables + 2 * size)
      outgoing.pack(from: source.baseAddress)
      try collective(
        MPI_Alltoallv(
          outgoing.pointer, outgoing.counts, outgoing.offsets, T.datatype, incoming.pointer,
          incoming.counts, incoming.offsets, T.datatype, handle),
        "MPI_Alltoallv")
      incoming.unpack(to: result.baseAddress)
    }
    traffic.record(
      calls: rounds, sent: (sending.total - sending.counts[rank]) * MemoryLayout<T>.stride,
      received: (receiving.total - receiving.counts[rank]) * MemoryLayout<T>.stride)
  }
}
