// The outer step of DiLoCo (Douillard et al. 2023, algorithm 1): from the weights of the workers after a
// round of inner steps to the global weights, from which all of them begin the next round.
//
//   Δ = 1/W · Σ_w (θ_old − θ_w),  θ = Nesterov(θ_old, along Δ)
//
// Goals in order: the same bits for any allowed number of ranks; the fewest bytes between the groups;
// little memory. The differences are added in fp32 in the binary tree over the workers 0…W−1, of which W
// is a power of two, so that the division by W is exact. Of the part that a rank owns in its group, it
// sends to its peers, the ranks in the same place of the other groups, a slice each, adds what they send,
// updates its own slice, and gathers those of the others: 2(G−1)/G of that part for G groups, the bound of
// an all-reduce. The gather within the group then completes the weights.
import CKernels
import MPI
import Optimizers
import Tensors

/// The global weights of a DiLoCo run and their Nesterov momentum, which is divided over all ranks.
///
/// Each worker of this rank calls ``add(worker:of:)`` after its round, in ascending order; `update` then
/// makes the outer step. All sizes are those of the flat parameter buffer.
package final class OuterOptimizer: @unchecked Sendable {
  // Sendable: workers update disjoint pieces.

  package let rule: any Optimizer
  private let learningRate: Float
  private let groups: WorkerGroups
  /// The ranks in the same place of all groups, in the order of the groups.
  private let peers: Communicator
  /// The ranges that this rank owns in its group, each with the slices of its peers.
  private let parts: [(range: Range<Int>, slices: [Range<Int>])]
  /// The slices that this rank owns among all ranks.
  package let ranges: [Range<Int>]
  /// The optimizer state: a buffer per name in `rule.stateNames`, with `ranges` one after another.
  package let state: [FlatBuffer]
  /// The weights at the start of the round; during the outer step the new ones.
  private let global: FlatBuffer
  /// The sums of the workers' differences so far.
  private var sum = TreeSum<FlatBuffer>()
  /// Buffers for the differences of all workers of this rank but the last, as a binary counter.
  private var buffers: [FlatBuffer] = []
  /// The peers' sums of this rank's slice of one part.
  private let received: FlatBuffer

  /// - Parameters:
  ///   - rule: The outer optimizer.
  ///   - learningRate: Its learning rate.
  ///   - peers: The ranks in the same place of all groups.
  package init<Replica>(
    _ rule: any Optimizer, learningRate: Float, groups: WorkerGroups, peers: Communicator,
    for replicas: DataParallel<Replica>
  ) {
    precondition(peers.size == groups.count, "\(peers.size) peers in \(groups.count) groups")
    self.rule = rule
    self.learningRate = learningRate
    self.groups = groups
    self.peers = peers
    parts = replicas.ownedRanges.map { range in
      let blocks = (range.count + Buckets.block - 1) / Buckets.block
      let edge = { (peer: Int) in
        min(range.upperBound, range.lowerBound + peer * blocks / peers.size * Buckets.block)
      }
      return (range, (0..<peers.size).map { edge($0)..<edge($0 + 1) })
    }
    ranges = parts.map { $0.slices[peers.rank] }.filter { !$0.isEmpty }
    let count = ranges.reduce(0) { $0 + $1.count }
    state = rule.stateNames.map { _ in FlatBuffer(count: count) }
    global = FlatBuffer(count: replicas.layout.count)
    let largest = parts.map { $0.slices[peers.rank].count }.max() ?? 0
    received = FlatBuffer(count: largest * (peers.size - 1))
  }

  /// Takes the weights of `replicas`, equal on all ranks, as those from which all workers begin a round.
  package func begin<Replica>(_ replicas: DataParallel<Replica>) throws {
    sum = TreeSum()
    try copy(replicas.parameters, to: global, of: replicas)
  }

  /// Gives `replicas` the weights from which the round began, for the next worker of this rank.
  package func restart<Replica>(_ replicas: DataParallel<Replica>) throws {
    try copy(global, to: replicas.parameters, of: replicas)
    try replicas.parametersChanged()
  }

  /// Adds the difference that the round of `worker` made to the weights of `replicas`, which are
  /// undefined afterwards.
  package func add<Replica>(worker: Int, of replicas: DataParallel<Replica>) throws {
    let isLast = (worker + 1) % groups.workersPerGroup == 0
    let place = sum.parts.count
    if !isLast && buffers.count == place {
      buffers.append(FlatBuffer(count: replicas.layout.count))
    }
    // The weights of the last worker are not needed any more.
    let difference = isLast ? replicas.parameters : buffers[place]
    let before = sum.parts
    try replicas.forEachPiece { [global, weights = replicas.parameters] piece in
      guard let to = difference.elements.baseAddress, let old = global.elements.baseAddress,
        let new = weights.elements.baseAddress
      else { return }
      apus_subtract(
        to + piece.lowerBound, old + piece.lowerBound, new + piece.lowerBound, piece.count)
      // The same additions as below, while the piece is in the cache.
      var own = TreeSum<FlatBuffer>()
      for (subtree, part) in zip(self.sum.roots, before) { own.append(part, of: subtree) { $1 } }
      own.append(difference, of: Subtree(level: 0, index: worker)) { $0.adding($1, piece) }
    }
    sum.append(difference, of: Subtree(level: 0, index: worker)) { left, _ in left }
  }

  /// Sums the differences over all workers, into the slices that this rank owns.
  ///
  /// Collective over all ranks, after the last worker of each.
  ///
  /// - Returns: The Euclidean norm of their mean, the outer gradient, with the same bits on every rank.
  package func sumOverWorkers<Replica>(_ replicas: DataParallel<Replica>) throws -> Double {
    precondition(sum.parts.count == 1, "the sums of \(sum.roots)")
    let roots = (0..<peers.size).map { Subtree.cover(groups.workers(ofGroup: $0)) }
    let squares = BlockSquaredNorms(count: replicas.buckets.blockCount)
    for part in parts {
      try exchange(part.range, part.slices, roots: roots.map { $0[0] })
      squares.add(part.slices[peers.rank], of: sum.parts[0])
    }
    // Every block has one owner: the other ranks add zeros.
    var values = squares.values
    try values.withUnsafeMutableBufferPointer { try replicas.world.allReduce(inPlace: $0, .sum) }
    return values.reduce(0, +).squareRoot() / Double(groups.workers)
  }

  /// Makes the outer step along the sum, and gives its weights to `replicas` on all ranks.
  ///
  /// Collective over all ranks.
  ///
  /// - Parameter update: The number of this update, from 1.
  package func update<Replica>(_ replicas: DataParallel<Replica>, update: Int) throws {
    var pieces: [(range: Range<Int>, place: Int)] = []
    var place = 0
    for range in ranges {
      for start in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 16) {
        let piece = start..<min(range.upperBound, start + 1 << 16)
        pieces.append((piece, place + start - range.lowerBound))
      }
      place += range.count
    }
    let gradient = sum.parts[0]
    try replicas.forEach(pieces.count) { [self, pieces] index in
      let (range, place) = pieces[index]
      guard let along = gradient.elements.baseAddress else { return }
      rule.update(
        UnsafeMutableBufferPointer(rebasing: global.elements[range]),
        state: state.compactMap { $0.elements.baseAddress.map { $0 + place } },
        along: along + range.lowerBound, factor: 1 / Float(groups.workers),
        learningRate: learningRate, decays: false, update: update)
    }
    for (range, slices) in parts {
      let part = UnsafeMutableBufferPointer(rebasing: global.elements[range])
      try peers.allGatherV(inPlace: part, Self.layout(slices, from: range.lowerBound))
      _ = UnsafeMutableBufferPointer(rebasing: replicas.parameters.elements[range])
        .update(fromContentsOf: part)
    }
    try replicas.gatherParameters()
    try replicas.parametersChanged()
  }

  /// Sums one part over the groups, in the order of the tree, into this rank's slice of `sum.parts[0]`.
  private func exchange(
    _ range: Range<Int>, _ slices: [Range<Int>], roots: [Subtree]
  ) throws {
    let own = slices[peers.rank]
    guard let part = sum.parts[0].elements.baseAddress, !range.isEmpty else { return }
    var sums: [UnsafeMutablePointer<Float>] = []
    var (counts, places) = ([Int](), [Int]())
    for peer in 0..<peers.size {
      let place = counts.reduce(0, +)
      counts.append(peer == peers.rank ? 0 : own.count)
      places.append(place)
      let arrived = received.elements.baseAddress.map { $0 + place }
      sums.append(peer == peers.rank ? part + own.lowerBound : arrived ?? part)
    }
    if peers.size > 1 {
      try peers.allToAllV(
        UnsafeBufferPointer(start: part + range.lowerBound, count: range.count),
        Self.layout(slices, from: range.lowerBound, without: peers.rank),
        into: received.elements, BlockLayout(counts: counts, displacements: places),
        largestBlock: slices.map(\.count).max() ?? 0)
    }
    var total = TreeSum<UnsafeMutablePointer<Float>>()
    for (root, sum) in zip(roots, sums) {
      total.append(sum, of: root) { left, right in
        apus_add(left, left, right, own.count)
        return left
      }
    }
    precondition(total.roots.count == 1, "the workers do not make one tree: \(total.roots)")
    let result = part + own.lowerBound
    if total.parts[0] != result { result.update(from: total.parts[0], count: own.count) }
  }

  /// The layout of `slices` in a buffer that starts with element `start`, without that of one rank.
  private static func layout(
    _ slices: [Range<Int>], from start: Int, without rank: Int? = nil
  ) -> BlockLayout {
    BlockLayout(
      counts: slices.indices.map { $0 == rank ? 0 : slices[$0].count },
      displacements: slices.map { $0.lowerBound - start })
  }

  private func copy<Replica>(
    _ from: FlatBuffer, to: FlatBuffer, of replicas: DataParallel<Replica>
  ) throws {
    try replicas.forEachPiece { piece in
      _ = UnsafeMutableBufferPointer(rebasing: to.elements[piece])
        .update(fromContentsOf: from.elements[piece])
    }
  }
}

extension DataParallel {
  /// Calls `body` for 0 ..< `count`, divided over the workers of this rank and their teams.
  func forEach(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
    try pool.run { [threads = plan.threads, workers] thread in
      let own = thread * count / threads..<(thread + 1) * count / threads
      workers[thread].workspace.forEach(own.count) { index, _ in body(own.lowerBound + index) }
    }
  }

  /// Calls `body` for pieces that cover the flat buffer, divided over the workers of this rank.
  func forEachPiece(_ body: @escaping @Sendable (Range<Int>) -> Void) throws {
    let (piece, count) = (1 << 16, layout.count)
    try forEach((count + piece - 1) / piece) {
      body($0 * piece..<min(count, ($0 + 1) * piece))
    }
  }
}
