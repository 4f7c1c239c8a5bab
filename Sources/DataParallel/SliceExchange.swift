import MPI

/// An all-to-all in which each rank sends parts of a bucket, slice by slice, to the slices' owners.
struct SliceExchange: Sendable {
  let communicator: Communicator
  /// The number of parts that each rank sends.
  let partCounts: [Int]

  /// Returns the place of each part that arrives at `rank`, by sending rank, in units of the slice of
  /// `rank`; the list of `rank` is empty.
  ///
  /// - Parameter partCounts: The number of parts that each rank sends.
  static func places(_ partCounts: [Int], at rank: Int) -> [[Int]] {
    var places: [[Int]] = partCounts.map { _ in [] }
    var next = 0
    for round in 0..<(partCounts.max() ?? 0) {
      for (other, count) in partCounts.enumerated() where other != rank && round < count {
        places[other].append(next)
        next += 1
      }
    }
    return places
  }

  /// Sends this rank's parts of a bucket to the owners of its slices, one part per round.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - parts: The address of the bucket's first element in each part.
  ///   - slices: The ranks' slices, relative to the start of the bucket.
  ///   - received: The buffer for the other ranks' parts of this rank's slice, at `places`.
  func callAsFunction<T: MPIScalar>(
    _ parts: [UnsafePointer<T>], _ slices: [Range<Int>],
    into received: UnsafeMutableBufferPointer<T>
  ) throws {
    guard communicator.size > 1 else { return }
    let rank = communicator.rank
    let own = slices[rank].count
    let places = Self.places(partCounts, at: rank)
    let end = slices.last?.upperBound ?? 0
    for round in 0..<(partCounts.max() ?? 0) {
      let sends = parts.indices.contains(round)
      let comes = places.map { round < $0.count }
      try communicator.allToAllV(
        UnsafeBufferPointer(start: sends ? parts[round] : nil, count: sends ? end : 0),
        BlockLayout(
          counts: slices.indices.map { sends && $0 != rank ? slices[$0].count : 0 },
          displacements: slices.map(\.lowerBound)),
        into: received,
        BlockLayout(
          counts: comes.map { $0 ? own : 0 },
          displacements: zip(places, comes).map { $1 ? $0[round] * own : 0 }),
        largestBlock: slices.map(\.count).max() ?? 0)
    }
  }
}
