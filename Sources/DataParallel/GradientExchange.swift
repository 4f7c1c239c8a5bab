// The reduce-scatter of the gradient among ranks that share no memory: from the gradients of a rank's
// workers to the sum over all ranks in the slices that the rank owns. `HostSum` is the exchange of
// ranks that share a host.
//
// An all-to-all sends a rank's parts of the sum, slice by slice, to the slices' owners, which add
// them.
// Exact: the parts are the roots of the subtrees that the rank holds, in fp32, and the owner adds
// them in tree order. When the number of workers is a power of two, a rank holds one root, and it
// sends as many bytes as in a ring: (N−1)/N of the gradient, for N ranks.
// Fast: the rank's workers have added their gradients in any order, and their one sum travels in
// bf16, at half of those bytes. The owner adds in fp32, its own part unrounded. Every number is
// rounded once, so the absolute error of an element is at most 2⁻⁸ of the sum of the other ranks'
// absolute parts, for any number of ranks. A ring that passes on partial sums in bf16 would round
// again on every rank. The last bits depend on the number of ranks.
import CKernels
import MPI
import Tensors

/// The sum of the gradient over all ranks, one bucket at a time, on the communication thread.
final class GradientExchange: @unchecked Sendable {
  // Sendable: only the communication thread uses it during a step.
  private let world: Communicator
  private let buckets: Buckets
  private let reduction: GradientReduction
  /// The subtrees that each rank holds, in leaf order.
  let roots: [[Subtree]]
  private let slicesOfAll: SliceExchange
  /// The other ranks' parts of this rank's slice of one bucket, in an exact reduction.
  private let received: FlatBuffer
  /// The other ranks' parts of this rank's slice of one bucket, in a fast reduction.
  private let receivedBF16: BF16Buffer
  /// This rank's part of the other ranks' slices of one bucket, in a fast reduction.
  private let sentBF16: BF16Buffer

  init(
    world: Communicator, buckets: Buckets, assignment: LeafAssignment, reduction: GradientReduction
  ) {
    self.world = world
    self.buckets = buckets
    self.reduction = reduction
    roots = (0..<world.size).map { Subtree.cover(assignment.run(rank: $0)) }
    let partCounts = roots.map { reduction == .exact ? $0.count : min(1, $0.count) }
    slicesOfAll = SliceExchange(communicator: world, partCounts: partCounts)
    let slice = buckets.ranges.indices.map { buckets.slice($0, rank: world.rank).count }.max() ?? 0
    let whole = buckets.ranges.map(\.count).max() ?? 0
    let arriving = slice * (partCounts.reduce(0, +) - partCounts[world.rank])
    let isFast = reduction == .fast && world.size > 1
    received = FlatBuffer(count: reduction == .exact ? arriving : 0)
    receivedBF16 = BF16Buffer(count: isFast ? arriving : 0)
    sentBF16 = BF16Buffer(count: isFast ? whole : 0)
  }

  /// Writes the sum over all ranks into this rank's slice of `bucket` in `result`.
  ///
  /// Every rank must call for every bucket, in the same order.
  ///
  /// - Parameters:
  ///   - parts: The flat buffers of this rank's subtrees in leaf order. In a fast reduction, one
  ///     flat buffer with their sum, or none on a rank without leaves.
  ///   - result: A flat buffer; may be one of `parts`.
  func sum(
    _ bucket: Int, of parts: [FlatBuffer], into result: FlatBuffer
  ) throws {
    precondition(
      parts.count == slicesOfAll.partCounts[world.rank],
      "\(parts.count) parts where \(slicesOfAll.partCounts[world.rank]) were expected")
    guard let result = result.elements.baseAddress else { return }
    let parts = parts.compactMap(\.elements.baseAddress)
    switch reduction {
    case .exact: try sumInTreeOrder(bucket, parts, result)
    case .fast: try sumFromBF16(bucket, parts.first, result)
    }
  }

  private func sumInTreeOrder(
    _ bucket: Int, _ parts: [UnsafeMutablePointer<Float>], _ result: UnsafeMutablePointer<Float>
  ) throws {
    let start = buckets.ranges[bucket].lowerBound
    let own = buckets.slice(bucket, rank: world.rank)
    var all = try exchange(bucket, parts.map { UnsafePointer($0 + start) }, into: received.elements)
    all[world.rank] = parts.map { $0 + own.lowerBound }
    var total = TreeSum<UnsafeMutablePointer<Float>>()
    for (subtree, part) in zip(roots.joined(), all.joined()) {
      total.append(part, of: subtree) { left, right in
        apus_add(left, left, right, own.count)
        return left
      }
    }
    precondition(
      total.roots.count == 1, "the leaves of all ranks do not make one tree: \(total.roots)")
    let sum = result + own.lowerBound
    if total.parts[0] != sum { sum.update(from: total.parts[0], count: own.count) }
  }

  private func sumFromBF16(
    _ bucket: Int, _ part: UnsafeMutablePointer<Float>?, _ result: UnsafeMutablePointer<Float>
  ) throws {
    let start = buckets.ranges[bucket].lowerBound
    let own = buckets.slice(bucket, rank: world.rank)
    var outgoing: [UnsafePointer<UInt16>] = []
    if let part, world.size > 1, let rounded = sentBF16.elements.baseAddress {
      for (rank, slice) in buckets.slices(bucket).enumerated() where rank != world.rank {
        apus_round_bf16(
          rounded + slice.lowerBound, part + start + slice.lowerBound, slice.count)
      }
      outgoing = [UnsafePointer(rounded)]
    }
    let others = try exchange(bucket, outgoing, into: receivedBF16.elements)
    let sum = result + own.lowerBound
    if let part, part != result {
      sum.update(from: part + own.lowerBound, count: own.count)
    } else if part == nil {
      sum.update(repeating: 0, count: own.count)
    }
    for other in others.joined() { apus_add_bf16(sum, other, own.count) }
  }

  /// Sends this rank's parts of `bucket` to the owners of its slices.
  ///
  /// - Parameters:
  ///   - parts: The address of the bucket's first element in each part.
  ///   - received: The buffer for the other ranks' parts of this rank's slice.
  /// - Returns: The parts of each rank in `received`; the list of this rank is empty.
  private func exchange<T: MPIScalar>(
    _ bucket: Int, _ parts: [UnsafePointer<T>], into received: UnsafeMutableBufferPointer<T>
  ) throws -> [[UnsafeMutablePointer<T>]] {
    let slices = buckets.slices(bucket)
    try slicesOfAll(parts, slices, into: received)
    let own = slices[world.rank].count
    return SliceExchange.places(slicesOfAll.partCounts, at: world.rank).map { places in
      places.compactMap { place in received.baseAddress.map { $0 + place * own } }
    }
  }
}

/// The order and precision in which the gradients of micro-batches are added.
package enum GradientReduction: String, Sendable, CaseIterable {
  /// In one fixed binary tree, in fp32: the same bits for any number of ranks and threads.
  case exact
  /// In the fastest order, in fp32; ranks send each other bf16.
  case fast
}
