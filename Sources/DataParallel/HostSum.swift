// The reduce-scatter of the gradient in two levels.
//
// Ranks of a host read each other's gradients in shared memory. On a single host, each rank adds its
// slice of all ranks' parts, in tree order, and nothing is copied. With several hosts, the ranks of a
// host first add its parts to the roots of the subtrees that the host holds, each a share of the
// bucket. The first rank of the host, its leader, sends them to the leaders of the other hosts, slice
// by slice as ranks do, and each rank adds its slice of what arrived. Every addition is one of the
// summation tree, so the bits are those of the exchange among ranks; and a host with R ranks sends the
// bytes of one.
import MPI
import Tensors

/// The sum of the gradient over all ranks through the memory of their hosts, one bucket at a time, on
/// the communication thread.
final class HostSum: @unchecked Sendable {
  // Sendable: only the communication thread uses it during a step.
  private let world: Communicator
  private let topology: HostTopology
  private let buckets: Buckets
  /// The parts of the ranks of this host.
  private let parts: HostBuffers
  /// The additions of this host's parts.
  private let local: Additions
  private let network: Network?

  /// The level between hosts.
  private struct Network {
    /// The additions of all hosts' parts.
    let additions: Additions
    /// The number of parts of each host.
    let partCounts: [Int]
    /// The exchange of the leaders; nil on other ranks.
    let exchange: SliceExchange?
    /// The leader's memory, which all ranks of the host write: the host's parts of a bucket, and then
    /// those of the other hosts of its slice.
    let staging: HostBuffers
    let places: [[Int]]
    /// The distance of two outgoing parts.
    let width: Int
    /// The start of the parts that arrive.
    let arrivals: Int
  }

  /// Maps the parts of the other ranks of this host.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - parts: The parts of this rank, in leaf order.
  ///   - roots: The subtrees of the parts of each rank of the world; nil on a single host for the sum
  ///     in any order.
  /// - Throws: `HostBuffers.Refusal`, on every rank, when a rank cannot share its memory.
  init(
    _ parts: [FlatBuffer], of roots: [[Subtree]]?, _ topology: HostTopology, _ buckets: Buckets,
    _ world: Communicator
  ) throws {
    precondition(
      roots != nil || topology.hosts.count == 1, "a sum in any order over several hosts")
    self.world = world
    self.topology = topology
    self.buckets = buckets
    self.parts = try HostBuffers(parts, topology, world)
    let count = self.parts.buffers.reduce(0) { $0 + $1.count }
    local =
      roots.map { Additions(Array($0[topology.ownRanks].joined())) } ?? Additions(inOrder: count)
    guard let roots, topology.hosts.count > 1 else {
      network = nil
      return
    }
    let hostRoots = topology.hosts.map { Additions(Array(roots[$0].joined())).roots ?? [] }
    let counts = hostRoots.map(\.count)
    let width = buckets.ranges.map(\.count).max() ?? 0
    let slice = buckets.ranges.indices.map {
      topology.slices(of: $0, buckets)[topology.index].count
    }
    let arrivals = counts[topology.index] * width
    let arriving = counts.reduce(0, +) - counts[topology.index]
    let staging =
      topology.isLeader
      ? [FlatBuffer(count: arrivals + arriving * (slice.max() ?? 0), isShared: true)] : []
    network = Network(
      additions: Additions(Array(hostRoots.joined())), partCounts: counts,
      exchange: topology.leaders.map { SliceExchange(communicator: $0, partCounts: counts) },
      staging: try HostBuffers(staging, topology, world, isWritable: true),
      places: SliceExchange.places(counts, at: topology.index), width: width, arrivals: arrivals)
  }

  /// Writes the sum over all ranks into this rank's slice of `bucket` in `result`.
  ///
  /// Every rank must call for every bucket, in the same order, after all ranks of its host have
  /// finished their parts of it.
  ///
  /// - Parameter result: A flat buffer; may be one of the parts.
  func sum(_ bucket: Int, into result: FlatBuffer) throws {
    guard let result = result.elements.baseAddress else { return }
    let own = buckets.slice(bucket, rank: world.rank)
    guard let network else { return add(own, into: [result + own.lowerBound]) }
    guard let staging = network.staging.buffers[0][0].elements.baseAddress else { return }
    let range = buckets.ranges[bucket]
    let share = share(of: range)
    let outgoing = (0..<local.outputs).map { staging + $0 * network.width }
    add(share, into: outgoing.map { $0 + share.lowerBound - range.lowerBound })
    try topology.host.awaitAll()
    let slices = topology.slices(of: bucket, buckets)
    let slice = slices[topology.index]
    let incoming = staging + network.arrivals
    try CollectiveProgress.asOne {
      try network.exchange?(
        outgoing.map { UnsafePointer($0) }, slices,
        into: UnsafeMutableBufferPointer(
          start: incoming,
          count: network.staging.buffers[0][0].elements.count - network.arrivals))
      try topology.host.awaitAll()
    }
    let place = own.lowerBound - range.lowerBound
    var all = network.places.map { places in
      places.map { UnsafePointer(incoming + $0 * slice.count + place - slice.lowerBound) }
    }
    all[topology.index] = outgoing.map { UnsafePointer($0 + place) }
    network.additions(Array(all.joined()), count: own.count, into: [result + own.lowerBound])
  }

  /// Waits until all ranks of the host have read this rank's parts of the last bucket.
  ///
  /// Collective.
  func end() throws { try topology.host.awaitAll() }

  /// Adds `range` of the parts of this host's ranks.
  private func add(_ range: Range<Int>, into sums: [UnsafeMutablePointer<Float>]) {
    let parts = parts.buffers.joined().compactMap(\.elements.baseAddress)
    local(parts.map { UnsafePointer($0 + range.lowerBound) }, count: range.count, into: sums)
    self.parts.release(range, except: topology.host.rank)
  }

  /// Returns the part of `range` that this rank adds for its host.
  private func share(of range: Range<Int>) -> Range<Int> {
    let pieces = (range.count + Additions.piece - 1) / Additions.piece
    let edge = { [topology] (rank: Int) in
      min(
        range.upperBound,
        range.lowerBound + rank * pieces / topology.host.size * Additions.piece)
    }
    return edge(topology.host.rank)..<edge(topology.host.rank + 1)
  }
}

extension HostTopology {
  /// Returns the slices of a bucket that the ranks of each host own, relative to its start.
  func slices(of bucket: Int, _ buckets: Buckets) -> [Range<Int>] {
    let slices = buckets.slices(bucket)
    return hosts.map { slices[$0.lowerBound].lowerBound..<slices[$0.upperBound - 1].upperBound }
  }
}

extension HostBuffers {
  /// Removes the pages of `range` of other ranks' buffers from the resident memory of this rank.
  func release(_ range: Range<Int>, except own: Int) {
    for (rank, list) in buffers.enumerated() where rank != own {
      for buffer in list { buffer.release(range) }
    }
  }
}
