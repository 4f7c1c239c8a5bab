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
}
