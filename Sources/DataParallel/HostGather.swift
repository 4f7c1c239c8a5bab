import MPI
import Tensors

/// The all-gather of the weights in two levels: ranks of a host copy from each other's memory, and
/// only the first rank of each host exchanges slices with other hosts.
final class HostGather: @unchecked Sendable {
  // Sendable: its buffers are read and written in the order of the collective calls.
  private let topology: HostTopology
  private let buckets: Buckets
  private let weights: HostBuffers
  /// The slices of the other ranks of this host.
  private let ofHost: [Piece]
  /// The slices of the other hosts' ranks, which the leader has received; none on the leader.
  private let ofOthers: [Piece]

  /// A range of the weights and the rank of the host that has it.
  private struct Piece: Sendable {
    let range: Range<Int>
    let rank: Int
  }

  /// The elements of a piece; enough to divide the copies evenly over threads.
  private static let piece = 1 << 18

  /// Maps the weights of the other ranks of this host.
  ///
  /// Collective.
  ///
  /// - Throws: `HostBuffers.Refusal`, on every rank, when a rank cannot share its memory.
  init(
    _ parameters: FlatBuffer, _ topology: HostTopology, _ buckets: Buckets, _ world: Communicator
  ) throws {
    self.topology = topology
    self.buckets = buckets
    weights = try HostBuffers([parameters], topology, world)
    let own = topology.ownRanks
    let pieces = { (ranks: [Int], source: (Int) -> Int) in
      ranks.flatMap { rank in
        buckets.owned(by: rank).flatMap { range in
          stride(from: range.lowerBound, to: range.upperBound, by: Self.piece).map {
            Piece(range: $0..<min(range.upperBound, $0 + Self.piece), rank: source(rank))
          }
        }
      }
    }
    ofHost = pieces(own.filter { $0 != world.rank }) { $0 - own.lowerBound }
    ofOthers =
      topology.isLeader ? [] : pieces((0..<world.size).filter { !own.contains($0) }) { _ in 0 }
  }

  /// Gathers the weights, each of which its owner has updated, on every rank.
  ///
  /// Collective.
  ///
  /// - Parameter pool: The threads that copy.
  func callAsFunction(_ pool: WorkerPool) throws {
    try topology.host.awaitAll()
    try copy(ofHost, pool)
    if topology.hosts.count > 1 {
      try CollectiveProgress.asOne {
        if let leaders = topology.leaders { try gather(over: leaders) }
        try topology.host.awaitAll()
      }
      try copy(ofOthers, pool)
    }
    weights.release(0..<buckets.count, except: topology.host.rank)
    // After this call the weights may change again: no rank still reads them.
    try topology.host.awaitAll()
  }

  private func gather(over leaders: Communicator) throws {
    let weights = weights.buffers[0][0].elements
    for (bucket, range) in buckets.ranges.enumerated() {
      let slices = topology.slices(of: bucket, buckets)
      try leaders.allGatherV(
        inPlace: UnsafeMutableBufferPointer(rebasing: weights[range]),
        BlockLayout(counts: slices.map(\.count), displacements: slices.map(\.lowerBound)))
    }
  }

  private func copy(_ pieces: [Piece], _ pool: WorkerPool) throws {
    try pool.run { [weights, rank = topology.host.rank] thread in
      guard let own = weights.buffers[rank][0].elements.baseAddress else { return }
      for index in thread * pieces.count / pool.count..<(thread + 1) * pieces.count / pool.count {
        let piece = pieces[index]
        guard let other = weights.buffers[piece.rank][0].elements.baseAddress else { continue }
        (own + piece.range.lowerBound).update(
          from: other + piece.range.lowerBound, count: piece.range.count)
      }
    }
  }
}
