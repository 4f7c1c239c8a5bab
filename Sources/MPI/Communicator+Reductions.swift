internal import CMPI

// Broadcast and all-reduce. Every rank has a buffer of the same length, so all ranks cut a long one
// at the same positions, without a message.
extension Communicator {
  /// Copies the buffer of rank `root` to all; every rank must call, with the same count
  /// (MPI Standard 3.1, section 5.4).
  ///
  /// Traffic: a pipeline from the root through the ranks in order, in which all ranks but the last
  /// pass the buffer on.
  package func broadcast<T: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<T>, from root: Int = 0
  ) throws(MPIError) {
    requireRank(root)
    var position = 0
    while let (start, count) = nextChunk(of: buffer.count, from: &position) {
      try collective(
        MPI_Bcast(buffer.baseAddress.map { $0 + start }, count, T.datatype, Int32(root), handle),
        "MPI_Bcast")
    }
    let bytes = buffer.count * MemoryLayout<T>.stride
    let isLast = (rank - root + size) % size == size - 1
    traffic.record(
      calls: chunkCount(of: buffer.count), sent: isLast ? 0 : bytes,
      received: rank == root ? 0 : bytes)
  }

  /// Combines the ranks' buffers, element by element, into all of them; every rank must call, with
  /// the same count (MPI Standard 3.1, section 5.9.6).
  ///
  /// Traffic: the ring's 2(N−1)/N of the buffer, rounded down.
  package func allReduce<T: MPIReducible>(
    inPlace buffer: UnsafeMutableBufferPointer<T>, _ operation: Reduction
  ) throws(MPIError) {
    var position = 0
    while let (start, count) = nextChunk(of: buffer.count, from: &position) {
      try collective(
        MPI_Allreduce(
          cmpi_in_place(), buffer.baseAddress.map { $0 + start }, count, T.datatype,
          operation.handle, handle),
        "MPI_Allreduce")
    }
    let bytes = 2 * (size - 1) * buffer.count * MemoryLayout<T>.stride / size
    traffic.record(calls: chunkCount(of: buffer.count), sent: bytes, received: bytes)
  }
}
