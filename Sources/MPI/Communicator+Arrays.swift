// The calls on arrays and single numbers, for control messages. They allocate; a training step uses
// the calls on buffers.
extension Communicator {
  /// Returns the number that rank `root` passed; every rank must call (MPI Standard 3.1, section
  /// 5.4).
  package func broadcast<T: MPIScalar>(_ value: T, from root: Int = 0) throws(MPIError) -> T {
    var result = [value]
    try result.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      try broadcast(buffer, from: root)
    }
    return result[0]
  }

  /// Returns the array that rank `root` passed, of any length; every rank must call
  /// (MPI Standard 3.1, section 5.4).
  ///
  /// The values of the other ranks are ignored. The length is sent first, in a broadcast of its
  /// own.
  package func broadcast<T: MPIScalar>(_ values: [T], from root: Int = 0) throws(MPIError) -> [T] {
    let count = Int(try broadcast(Int64(values.count), from: root))
    var result = rank == root ? values : Array(repeating: T.zero, count: count)
    try result.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      try broadcast(buffer, from: root)
    }
    return result
  }

  /// Combines the ranks' numbers; every rank must call (MPI Standard 3.1, section 5.9.6).
  package func allReduce<T: MPIReducible>(
    _ value: T, _ operation: Reduction
  ) throws(MPIError) -> T {
    try allReduce([value], operation)[0]
  }

  /// Combines the ranks' arrays, element by element; every rank must call, with the same count
  /// (MPI Standard 3.1, section 5.9.6).
  package func allReduce<T: MPIReducible>(
    _ values: [T], _ operation: Reduction
  ) throws(MPIError) -> [T] {
    var result = values
    try result.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      try allReduce(inPlace: buffer, operation)
    }
    return result
  }

  /// Returns the ranks' arrays one after another on rank `root`, nil elsewhere; every rank must
  /// call, with the same count (MPI Standard 3.1, section 5.5).
  package func gather<T: MPIScalar>(_ values: [T], to root: Int = 0) throws(MPIError) -> [T]? {
    var result = Array(repeating: T.zero, count: rank == root ? values.count * size : 0)
    try values.withUnsafeBufferPointer { (block) throws(MPIError) in
      try result.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
        try gather(block, into: buffer, to: root)
      }
    }
    return rank == root ? result : nil
  }

  /// Returns the ranks' arrays one after another on every rank; every rank must call, with the same
  /// count (MPI Standard 3.1, section 5.7).
  package func allGather<T: MPIScalar>(_ values: [T]) throws(MPIError) -> [T] {
    var result = Array(repeating: T.zero, count: values.count * size)
    try values.withUnsafeBufferPointer { (block) throws(MPIError) in
      try result.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
        try allGather(block, into: buffer)
      }
    }
    return result
  }

  /// Returns the ranks' arrays, each of its own length, in rank order; every rank must call
  /// (MPI Standard 3.1, section 5.7).
  ///
  /// The lengths are sent first, in an all-gather of their own.
  package func allGatherV<T: MPIScalar>(_ values: [T]) throws(MPIError) -> [[T]] {
    let layout = BlockLayout(packing: try allGather([Int64(values.count)]).map { Int($0) })
    let start = layout.displacements[rank]
    var result = Array(repeating: T.zero, count: layout.total)
    result.replaceSubrange(start..<start + values.count, with: values)
    try result.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      try allGatherV(inPlace: buffer, layout)
    }
    return zip(layout.displacements, layout.counts).map { Array(result[$0..<$0 + $1]) }
  }

  /// Sends `values` to rank `destination`, which must receive them (MPI Standard 3.1, section
  /// 3.2.1).
  package func send<T: MPIScalar>(
    _ values: [T], to destination: Int, tag: Int = 0
  ) throws(MPIError) {
    try values.withUnsafeBufferPointer { (buffer) throws(MPIError) in
      try send(buffer, to: destination, tag: tag)
    }
  }

  /// Receives the next message of rank `source` with `tag`, of any length
  /// (MPI Standard 3.1, sections 3.8.1 and 3.2.4).
  package func receive<T: MPIScalar>(
    _ type: T.Type, from source: Int, tag: Int = 0
  ) throws(MPIError) -> [T] {
    var result: [T] = []
    var pieces = 0
    var count = maximumCount
    while count == maximumCount {
      count = try probe(type, from: source, tag: tag)
      var piece = Array(repeating: T.zero, count: count)
      _ = try piece.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
        try receivePiece(into: buffer, from: source, tag: tag)
      }
      result += piece
      pieces += 1
    }
    let bytes = source == rank ? 0 : result.count * MemoryLayout<T>.stride
    traffic.record(calls: pieces, sent: 0, received: bytes)
    return result
  }
}
