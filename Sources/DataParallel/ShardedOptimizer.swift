import MPI
import Optimizers
import Tensors

/// An optimizer whose state and work are divided over the ranks (ZeRO stage 1): each rank keeps and
/// updates the ranges it owns, and all gather the weights.
public final class ShardedOptimizer: @unchecked Sendable {
  // Sendable: workers update disjoint ranges.

  /// The rule.
  public let rule: any Optimizer
  /// The owned ranges of the flat buffer.
  public let ranges: [Range<Int>]
  /// State per name of the rule, the owned ranges one after another.
  public let state: [FlatBuffer]
  /// Owned pieces cut where weight decay begins and ends, with their place in the state.
  private let pieces: [Piece]

  private struct Piece {
    let range: Range<Int>
    let place: Int
    let decays: Bool
  }

  /// Fresh state for what `replicas` owns on this rank.
  public init<Replica>(_ rule: any Optimizer, for replicas: DataParallel<Replica>) {
    self.rule = rule
    ranges = replicas.ownedRanges
    let count = ranges.reduce(0) { $0 + $1.count }
    state = rule.stateNames.map { _ in FlatBuffer(count: count) }
    var pieces: [Piece] = []
    var place = 0
    for range in ranges {
      for entry in replicas.layout.entries where entry.range.overlaps(range) {
        // Pieces of bounded size, so that workers share them evenly.
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

  /// Updates the owned weights, spread over the workers, and gathers everybody's.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - factor: What the summed gradient is multiplied by.
  ///   - learningRate: The step's rate.
  ///   - update: Number of this update, from 1.
  /// - Returns: Seconds spent on gathering.
  public func update<Replica>(
    _ replicas: DataParallel<Replica>, factor: Float, learningRate: Float, update: Int
  ) throws -> Double {
    guard let weights = replicas.parameters.elements.baseAddress,
      let gradient = replicas.summedGradient
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
      // The gradient is read; weights and state are read and written.
      timeline?.mark(
        "optimizer",
        bytes: Double(own.reduce(0) { $0 + $1.range.count } * 4 * (3 + 2 * state.count)))
    }
    var clock = Stopwatch()
    replicas.timeline?.skip()
    try replicas.gatherParameters()
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
