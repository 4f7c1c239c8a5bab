internal import CMPI

// Point-to-point messages. A message of n elements is sent as ⌊n / maximumCount⌋ + 1 MPI messages.
// All are full except the last, which may be empty: so the receiver recognises the end without the
// length. In practice that is one MPI message. Both ends must have the same `maximumCount`.
//
// Traffic: the elements, unless a rank sends to itself.
extension Communicator {
  /// Sends `buffer` to rank `destination`, which must receive it (MPI Standard 3.1, section 3.2.1).
  ///
  /// MPI may return before the message has arrived, or only after the receiver has asked for it: of
  /// two ranks that exchange messages, one must receive first.
  package func send<T: MPIScalar>(
    _ buffer: UnsafeBufferPointer<T>, to destination: Int, tag: Int = 0
  ) throws(MPIError) {
    requireRank(destination)
    requireTag(tag)
    let pieces = buffer.count / maximumCount + 1
    for piece in 0..<pieces {
      let start = piece * maximumCount
      try check(
        MPI_Send(
          buffer.baseAddress.map { $0 + start }, Int32(min(maximumCount, buffer.count - start)),
          T.datatype, Int32(destination), Int32(tag), handle),
        "MPI_Send")
    }
    let bytes = destination == rank ? 0 : buffer.count * MemoryLayout<T>.stride
    traffic.record(calls: pieces, sent: bytes, received: 0)
  }

  /// Receives the next message of rank `source` with `tag`, and returns the number of elements that
  /// it wrote to `buffer` (MPI Standard 3.1, section 3.2.4).
  ///
  /// - Throws: ``MPIError/call(function:code:text:)`` when the message is longer than `buffer`.
  @discardableResult
  package func receive<T: MPIScalar>(
    into buffer: UnsafeMutableBufferPointer<T>, from source: Int, tag: Int = 0
  ) throws(MPIError) -> Int {
    requireRank(source)
    requireTag(tag)
    var received = 0
    var pieces = 0
    var count = maximumCount
    while count == maximumCount {
      var status = MPI_Status()
      try check(
        MPI_Recv(
          buffer.baseAddress.map { $0 + received },
          Int32(min(maximumCount, buffer.count - received)), T.datatype, Int32(source), Int32(tag),
          handle, &status),
        "MPI_Recv")
      count = try elementCount(of: status, T.self)
      received += count
      pieces += 1
    }
    let bytes = source == rank ? 0 : received * MemoryLayout<T>.stride
    traffic.record(calls: pieces, sent: 0, received: bytes)
    return received
  }

  private func elementCount<T: MPIScalar>(
    of status: MPI_Status, _ type: T.Type
  ) throws(MPIError) -> Int {
    var status = status
    var count: Int32 = 0
    try check(MPI_Get_count(&status, T.datatype, &count), "MPI_Get_count")
    guard count >= 0 else {
      throw .call(
        function: "MPI_Get_count", code: MPI_ERR_TYPE,
        text: "the message is not a whole number of \(T.self) elements")
    }
    return Int(count)
  }

  /// Checks a tag: the Standard guarantees tags up to 32767 (section 8.1.2).
  private func requireTag(_ tag: Int) {
    precondition(0...32767 ~= tag, "a tag is within 0…32767, not \(tag)")
  }
}
