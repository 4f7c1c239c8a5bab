// From the gradients that a rank's workers hold to the exact sum of the slices the rank owns.
//
// Exact: every rank sends the roots of the subtrees it holds, slice by slice, to the slice's owner
// (all-to-all), who adds them in tree order. With a power of two of workers a rank holds one root,
// and the bytes on the wire are those of a ring: (N−1)/N of the gradient.
// Fast: the rank's workers add in place without regard to the tree, and a ring reduce-scatter adds
// in rank order around the ring; the sum's last bits depend on the number of ranks.
import CKernels
import MPI
import Tensors

/// One root of a rank: its node, and the flat buffer that holds its sum.
struct HeldRoot {
  let subtree: Subtree
  let gradient: UnsafeMutablePointer<Float>
}

/// The exchange of one bucket at a time, on the communication thread.
final class GradientExchange: @unchecked Sendable {
  // Sendable: only the communication thread uses it during a step.
  private let world: Communicator
  private let buckets: Buckets
  private let reduction: GradientReduction
  /// Roots of every rank, in leaf order.
  private let roots: [[Subtree]]
  /// Other ranks' roots of this rank's slice of one bucket.
  private let received: FlatBuffer

  init(
    world: Communicator, buckets: Buckets, assignment: LeafAssignment, reduction: GradientReduction
  ) {
    self.world = world
    self.buckets = buckets
    self.reduction = reduction
    roots = (0..<world.size).map { Subtree.cover(assignment.run(rank: $0)) }
    let slice = buckets.ranges.indices.map { buckets.slice($0, rank: world.rank).count }.max() ?? 0
    let whole = buckets.ranges.map(\.count).max() ?? 0
    let all = roots.reduce(0) { $0 + $1.count }
    let remote = all - roots[world.rank].count
    received = FlatBuffer(
      count: world.size == 1 ? 0 : reduction == .exact ? slice * remote : 2 * whole)
  }

  /// Makes `result` hold the sum over all ranks in this rank's slice of `bucket`.
  ///
  /// Every rank must call for every bucket, in the same order.
  ///
  /// - Parameters:
  ///   - mine: This rank's roots in leaf order (one in all when the reduction is fast).
  ///   - result: A flat buffer; may be one of the roots' own.
  func sum(_ bucket: Int, mine: [HeldRoot], into result: UnsafeMutablePointer<Float>) throws {
    switch reduction {
    case .exact: try sumExactly(bucket, mine, result)
    case .fast: try sumAroundTheRing(bucket, mine, result)
    }
  }

  private func sumExactly(
    _ bucket: Int, _ mine: [HeldRoot], _ result: UnsafeMutablePointer<Float>
  ) throws {
    let slices = buckets.slices(bucket)
    let start = buckets.ranges[bucket].lowerBound
    let own = buckets.slice(bucket, rank: world.rank)
    // Where the owner finds each root of each rank, for its slice.
    var parts: [[UnsafeMutablePointer<Float>]] = roots.map { _ in [] }
    parts[world.rank] = mine.map { $0.gradient + own.lowerBound }
    var filled = 0
    for round in 0..<(roots.map(\.count).max() ?? 0) where world.size > 1 {
      let sends = mine.indices.contains(round)
      let sendCounts = slices.indices.map { sends && $0 != world.rank ? slices[$0].count : 0 }
      let receiveCounts = roots.indices.map {
        $0 != world.rank && round < roots[$0].count ? own.count : 0
      }
      var places: [Int] = []
      for (rank, count) in receiveCounts.enumerated() {
        places.append(filled)
        if rank != world.rank && round < roots[rank].count, let base = received.elements.baseAddress
        {
          parts[rank].append(base + filled)
        }
        filled += count
      }
      let outgoing = sends ? mine[round].gradient + start : result + start
      try world.allToAllV(
        UnsafeBufferPointer(start: outgoing, count: buckets.ranges[bucket].count),
        BlockLayout(counts: sendCounts, displacements: slices.map(\.lowerBound)),
        into: received.elements, BlockLayout(counts: receiveCounts, displacements: places),
        largestBlock: slices.map(\.count).max() ?? 0)
    }
    addInTreeOrder(parts, count: own.count, into: result + own.lowerBound)
  }

  private func addInTreeOrder(
    _ parts: [[UnsafeMutablePointer<Float>]], count: Int, into result: UnsafeMutablePointer<Float>
  ) {
    var joined: [Subtree] = []
    var places: [UnsafeMutablePointer<Float>] = []
    for (subtrees, pointers) in zip(roots, parts) {
      for (subtree, pointer) in zip(subtrees, pointers) {
        places.append(pointer)
        joined.appendJoining(subtree) { into, from in
          apus_add(places[into], places[into], places[from], count)
          places.removeLast()
        }
      }
    }
    precondition(joined.count == 1, "the leaves of all ranks do not make one tree: \(joined)")
    if places[0] != result { result.update(from: places[0], count: count) }
  }

  /// Ring reduce-scatter (Patarasuk & Yuan 2009): in each of N − 1 rounds a rank passes one partly
  /// summed slice on and adds its own part to the one that arrives.
  private func sumAroundTheRing(
    _ bucket: Int, _ mine: [HeldRoot], _ result: UnsafeMutablePointer<Float>
  ) throws {
    let size = world.size
    let slices = buckets.slices(bucket)
    let start = buckets.ranges[bucket].lowerBound
    guard let scratch = received.elements.baseAddress, size > 1 else {
      if let own = mine.first?.gradient, own != result {
        let range = buckets.ranges[bucket]
        (result + range.lowerBound).update(from: own + range.lowerBound, count: range.count)
      }
      return
    }
    let half = received.elements.count / 2
    var passing = scratch
    var arriving = scratch + half
    for round in 0..<size - 1 {
      let outgoing = slices[(world.rank - round - 1 + 2 * size) % size]
      let incoming = slices[(world.rank - round - 2 + 2 * size) % size]
      if round == 0, let own = mine.first?.gradient {
        passing.update(from: own + start + outgoing.lowerBound, count: outgoing.count)
      } else if round == 0 {
        passing.update(repeating: 0, count: outgoing.count)
      }
      _ = try world.sendReceive(
        UnsafeBufferPointer(start: passing, count: outgoing.count),
        to: (world.rank + 1) % size,
        into: UnsafeMutableBufferPointer(start: arriving, count: incoming.count),
        from: (world.rank + size - 1) % size)
      if let own = mine.first?.gradient {
        apus_add(arriving, arriving, own + start + incoming.lowerBound, incoming.count)
      }
      swap(&passing, &arriving)
    }
    let own = slices[world.rank]
    (result + start + own.lowerBound).update(from: passing, count: own.count)
  }
}

/// How gradients of different micro-batches are added.
public enum GradientReduction: String, Sendable, CaseIterable {
  /// In one fixed tree: the same bits for any number of ranks and threads.
  case exact
  /// In whatever order is quickest.
  case fast
}
