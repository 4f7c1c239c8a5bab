import Faults
import MPI
import Optimizers
import Tensors

/// An optimizer whose state and work are divided over the ranks (ZeRO stage 1): each rank holds the
/// optimizer state of the ranges that it owns and updates them, and an all-gather distributes the
/// weights.
package final class ShardedOptimizer: @unchecked Sendable {
  // Sendable: workers update disjoint ranges.

  /// The update rule.
  package let rule: any Optimizer
  /// The ranges of the flat buffer that this rank owns.
  package let ranges: [Range<Int>]
  /// The optimizer state: a buffer per name in `rule.stateNames`, with the owned ranges one after
  /// another.
  package let state: [FlatBuffer]
  /// The owned ranges, cut at the bounds of parameters and into pieces of at most 2¹⁶ elements.
  private let pieces: [Piece]

  private struct Piece {
    let range: Range<Int>
    /// The offset of `range` in the state.
    let place: Int
    /// True when weight decay applies.
    let decays: Bool
  }

  /// Makes zero state for the ranges of `replicas` that this rank owns.
  package init<Replica>(_ rule: any Optimizer, for replicas: DataParallel<Replica>) {
    self.rule = rule
    ranges = replicas.ownedRanges
    let count = ranges.reduce(0) { $0 + $1.count }
    state = rule.stateNames.map { _ in FlatBuffer(count: count) }
    var pieces: [Piece] = []
    var place = 0
    for range in ranges {
      for entry in replicas.layout.entries where entry.range.overlaps(range) {
        // Pieces have a bounded size, so that the workers' loads are even.
        let part = entry.range.clamped(to: range)
        for start in stride(from: part.lowerBound, to: part.upperBound, by: 1 << 16) {
          pieces.append(
            Piece(
              range: start..<min(part.upperBound, start + 1 << 16),
              place: place + start - range.lowerBound, decays: entry.decays))
        }
      }
      place += range.count
    }
    self.pieces = pieces
  }

  /// Updates the owned weights along `gradient`, divided over the workers, and all-gathers them.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - replicas: The replicas whose weights are updated.
  ///   - gradient: The summed gradient of the ranges that this optimizer owns.
  ///   - factor: The factor of the summed gradient.
  ///   - learningRate: The learning rate of this update.
  ///   - update: The number of this update, from 1.
  /// - Returns: The duration of the all-gather, in seconds.
  package func update<Replica>(
    _ replicas: DataParallel<Replica>, along gradient: SummedGradient, factor: Float,
    learningRate: Float, update: Int
  ) throws -> Double {
    precondition(
      gradient.ranges == ranges, "a gradient of \(gradient.ranges) for an optimizer of \(ranges)")
    guard let weights = replicas.parameters.elements.baseAddress,
      let gradient = gradient.buffer.elements.baseAddress
    else { return 0 }
    let shared = UncheckedPointers(weights: weights, gradient: gradient)
    try replicas.pool.run { [self, count = replicas.plan.threads] thread in
      let own = pieces[thread * pieces.count / count..<(thread + 1) * pieces.count / count]
      let timeline = replicas.workers[thread].workspace.timeline
      timeline?.skip()
      replicas.workers[thread].workspace.forEach(own.count) { index, _ in
        let piece = own[own.startIndex + index]
        rule.update(
          UnsafeMutableBufferPointer(
            start: shared.weights + piece.range.lowerBound, count: piece.range.count),
          state: state.compactMap { $0.elements.baseAddress.map { $0 + piece.place } },
          along: shared.gradient + piece.range.lowerBound, factor: factor,
          learningRate: learningRate, decays: piece.decays, update: update)
      }
      // 4 bytes each: the gradient is read, the weights and the state are read and written.
      timeline?.mark(
        "optimizer",
        bytes: Double(own.reduce(0) { $0 + $1.range.count } * 4 * (3 + 2 * state.count)))
    }
    var clock = Stopwatch()
    replicas.timeline?.skip()
    FaultSchedule.reach(.optimizer)
    try replicas.gatherParameters()
    FaultSchedule.reach(.optimizer, flippingIn: replicas.parameters.elements)
    replicas.timeline?.mark("gather weights")
    let seconds = clock.lap()
    try replicas.parametersChanged()
    return seconds
  }
}

private struct UncheckedPointers: @unchecked Sendable {
  // Sendable: workers write disjoint ranges.
  let weights: UnsafeMutablePointer<Float>
  let gradient: UnsafeMutablePointer<Float>
}
