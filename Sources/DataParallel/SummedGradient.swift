import CKernels
import MPI

/// What a step's exchange leaves on a rank: sums in the ranges it owns, and how long it took.
public struct SummedGradient {
  let sums: BlockSums
  /// Seconds until the last worker was done.
  public let secondsCompute: Double
  /// Seconds the communication thread was busy.
  public let secondsExchange: Double
  /// Seconds of exchange that no computation hid.
  public let secondsExposed: Double
}

/// Sums of squares per block of the flat gradient, in 64 bits.
///
/// Each block is summed by its owner; the global norm adds all blocks in block order on every rank,
/// so its bits do not depend on who owned what.
final class BlockSums: @unchecked Sendable {
  // Sendable: the communication thread fills it before anyone reads.
  private(set) var values: [Double]

  init(count: Int) {
    values = [Double](repeating: 0, count: count)
  }

  /// Enters the blocks of `slice` of `gradient`.
  func add(_ slice: Range<Int>, of gradient: UnsafeMutablePointer<Float>) {
    for start in stride(from: slice.lowerBound, to: slice.upperBound, by: Buckets.block) {
      values[start / Buckets.block] = apus_sum_of_squares(
        gradient + start, min(Buckets.block, slice.upperBound - start))
    }
  }

  func set(_ block: Int, _ value: Double) {
    values[block] = value
  }
}

extension DataParallel {
  /// The Euclidean norm of the summed gradient, equal to the last bit on every rank.
  ///
  /// Collective.
  public func norm(of gradient: SummedGradient) throws -> Double {
    let blocks = (0..<world.size).map { rank in
      buckets.owned(by: rank).flatMap { range in
        stride(from: range.lowerBound, to: range.upperBound, by: Buckets.block).map {
          $0 / Buckets.block
        }
      }
    }
    let counts = blocks.map(\.count)
    var displacements = [0]
    for count in counts.dropLast() {
      displacements.append(displacements[displacements.count - 1] + count)
    }
    var gathered = [Double](repeating: 0, count: counts.reduce(0, +))
    for (place, block) in blocks[world.rank].enumerated() {
      gathered[displacements[world.rank] + place] = gradient.sums.values[block]
    }
    try gathered.withUnsafeMutableBufferPointer {
      try world.allGatherV(inPlace: $0, BlockLayout(counts: counts, displacements: displacements))
    }
    for (rank, list) in blocks.enumerated() where rank != world.rank {
      for (place, block) in list.enumerated() {
        gradient.sums.set(block, gathered[displacements[rank] + place])
      }
    }
    return gradient.sums.values.reduce(0, +).squareRoot()
  }
}
