// From the gradients that a rank's workers hold to the sum of the slices the rank owns.
//
// A rank sends its parts of the sum, slice by slice, to the slices' owners (all-to-all), who add.
// Exact: the parts are the roots of the subtrees that the rank holds, in fp32, and the owner adds
// them in tree order. With a power of two of workers a rank holds one root, and the bytes on the
// wire are those of a ring: (N−1)/N of the gradient.
// Fast: the rank's workers have added in place without regard to the tree, and their one sum
// travels in bf16: half of those bytes. The owner adds in fp32, its own part as it was. Every
// number is rounded once, so an element of the sum errs by at most 2⁻⁸ of the other ranks' parts
// in absolute value, for any number of ranks; partial sums that are passed on in bf16, as around a
// ring, would be rounded again by every rank. The last bits depend on the number of ranks.
import CKernels
import MPI
import Tensors

/// The exchange of one bucket at a time, on the communication thread.
final class GradientExchange: @unchecked Sendable {
  // Sendable: only the communication thread uses it during a step.
  private let world: Communicator
  private let buckets: Buckets
  private let reduction: GradientReduction
  /// Roots of every rank, in leaf order.
  private let roots: [[Subtree]]
  /// How many parts every rank sends.
  private let partCounts: [Int]
  /// Other ranks' parts of this rank's slice of one bucket, when the reduction is exact.
  private let received: FlatBuffer
  /// The same when it is fast.
  private let receivedHalves: HalfBuffer
  /// This rank's part of the others' slices of one bucket, when the reduction is fast.
  private let sentHalves: HalfBuffer

  init(
    world: Communicator, buckets: Buckets, assignment: LeafAssignment, reduction: GradientReduction
  ) {
    self.world = world
    self.buckets = buckets
    self.reduction = reduction
    roots = (0..<world.size).map { Subtree.cover(assignment.run(rank: $0)) }
    partCounts = roots.map { reduction == .exact ? $0.count : min(1, $0.count) }
    let slice = buckets.ranges.indices.map { buckets.slice($0, rank: world.rank).count }.max() ?? 0
    let whole = buckets.ranges.map(\.count).max() ?? 0
    let arriving = slice * (partCounts.reduce(0, +) - partCounts[world.rank])
    let isFast = reduction == .fast && world.size > 1
    received = FlatBuffer(count: reduction == .exact ? arriving : 0)
    receivedHalves = HalfBuffer(count: isFast ? arriving : 0)
    sentHalves = HalfBuffer(count: isFast ? whole : 0)
  }

  /// Makes `result` hold the sum over all ranks in this rank's slice of `bucket`.
  ///
  /// Every rank must call for every bucket, in the same order.
  ///
  /// - Parameters:
  ///   - parts: The flat buffers of this rank's roots in leaf order; when the reduction is fast, of
  ///     their sum, or none on a rank without leaves.
  ///   - result: A flat buffer; may be one of `parts`.
  func sum(
    _ bucket: Int, of parts: [UnsafeMutablePointer<Float>],
    into result: UnsafeMutablePointer<Float>
  ) throws {
    precondition(
      parts.count == partCounts[world.rank],
      "\(parts.count) parts where \(partCounts[world.rank]) were announced")
    switch reduction {
    case .exact: try sumInTreeOrder(bucket, parts, result)
    case .fast: try sumFromHalves(bucket, parts.first, result)
    }
  }

  private func sumInTreeOrder(
    _ bucket: Int, _ parts: [UnsafeMutablePointer<Float>], _ result: UnsafeMutablePointer<Float>
  ) throws {
    let start = buckets.ranges[bucket].lowerBound
    let own = buckets.slice(bucket, rank: world.rank)
    var all = try exchange(bucket, parts.map { UnsafePointer($0 + start) }, into: received.elements)
    all[world.rank] = parts.map { $0 + own.lowerBound }
    var joined: [Subtree] = []
    var places: [UnsafeMutablePointer<Float>] = []
    for (subtree, part) in zip(roots.joined(), all.joined()) {
      places.append(part)
      joined.appendJoining(subtree) { into, from in
        apus_add(places[into], places[into], places[from], own.count)
        places.removeLast()
      }
    }
    precondition(joined.count == 1, "the leaves of all ranks do not make one tree: \(joined)")
    let sum = result + own.lowerBound
    if places[0] != sum { sum.update(from: places[0], count: own.count) }
  }

  private func sumFromHalves(
    _ bucket: Int, _ part: UnsafeMutablePointer<Float>?, _ result: UnsafeMutablePointer<Float>
  ) throws {
    let start = buckets.ranges[bucket].lowerBound
    let own = buckets.slice(bucket, rank: world.rank)
    var outgoing: [UnsafePointer<UInt16>] = []
    if let part, world.size > 1, let halves = sentHalves.elements.baseAddress {
      for (rank, slice) in buckets.slices(bucket).enumerated() where rank != world.rank {
        apus_round_half(
          halves + slice.lowerBound, part + start + slice.lowerBound, slice.count)
      }
      outgoing = [UnsafePointer(halves)]
    }
    let others = try exchange(bucket, outgoing, into: receivedHalves.elements)
    let sum = result + own.lowerBound
    if let part, part != result {
      sum.update(from: part + own.lowerBound, count: own.count)
    } else if part == nil {
      sum.update(repeating: 0, count: own.count)
    }
    for other in others.joined() { apus_add_half(sum, other, own.count) }
  }

  /// Sends this rank's parts of `bucket` to the owners of its slices, one part a round.
  ///
  /// - Parameters:
  ///   - parts: Where the bucket begins in each part.
  ///   - received: Room for the other ranks' parts of this rank's slice.
  /// - Returns: Where the parts of each rank are in `received`; none of this rank's own.
  private func exchange<T: MPIScalar>(
    _ bucket: Int, _ parts: [UnsafePointer<T>], into received: UnsafeMutableBufferPointer<T>
  ) throws -> [[UnsafeMutablePointer<T>]] {
    let slices = buckets.slices(bucket)
    let own = slices[world.rank].count
    var arrived: [[UnsafeMutablePointer<T>]] = partCounts.map { _ in [] }
    var filled = 0
    for round in 0..<(partCounts.max() ?? 0) where world.size > 1 {
      let sends = parts.indices.contains(round)
      var places: [Int] = []
      var counts: [Int] = []
      for (rank, count) in partCounts.enumerated() {
        let comes = rank != world.rank && round < count
        if comes, let base = received.baseAddress { arrived[rank].append(base + filled) }
        places.append(filled)
        counts.append(comes ? own : 0)
        filled += comes ? own : 0
      }
      try world.allToAllV(
        UnsafeBufferPointer(
          start: sends ? parts[round] : nil, count: sends ? buckets.ranges[bucket].count : 0),
        BlockLayout(
          counts: slices.indices.map { sends && $0 != world.rank ? slices[$0].count : 0 },
          displacements: slices.map(\.lowerBound)),
        into: received, BlockLayout(counts: counts, displacements: places),
        largestBlock: slices.map(\.count).max() ?? 0)
    }
    return arrived
  }
}

/// How gradients of different micro-batches are added.
public enum GradientReduction: String, Sendable, CaseIterable {
  /// In one fixed tree: the same bits for any number of ranks and threads.
  case exact
  /// In whatever order is quickest, in fp32; between ranks they travel in bf16.
  case fast
}
