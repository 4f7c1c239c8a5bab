import CKernels
import MPI
import Tensors

/// The gradient of a step, summed over all micro-batches of the group, in the slices that this rank
/// owns; valid until the next step.
package struct SummedGradient {
  /// The flat buffer of which `ranges` hold sums.
  let buffer: FlatBuffer
  /// The slices that this rank owns.
  package let ranges: [Range<Int>]
  let squaredNorms: BlockSquaredNorms
  /// The checksum of the gradient of the leaf that was asked for; 0 without one.
  package var leafChecksum: UInt64 = 0
  /// The seconds until the last worker finished.
  package let secondsCompute: Double
  /// The seconds during which the communication thread was busy.
  package let secondsExchange: Double
  /// The seconds of exchange that did not overlap with computation.
  package let secondsExposed: Double
}

/// The squared Euclidean norm of each block of the flat gradient, in fp64.
///
/// The owner of a block computes its value. The global norm adds all blocks in block order on every
/// rank, so its bits do not depend on the ownership of the blocks.
final class BlockSquaredNorms: @unchecked Sendable {
  // Sendable: the communication thread writes all values before another thread reads them.
  private(set) var values: [Double]

  init(count: Int) {
    values = [Double](repeating: 0, count: count)
  }

  /// Computes the values of the blocks in `slice` of `gradient`.
  func add(_ slice: Range<Int>, of gradient: FlatBuffer) {
    guard let gradient = gradient.elements.baseAddress else { return }
    for start in stride(from: slice.lowerBound, to: slice.upperBound, by: Buckets.block) {
      values[start / Buckets.block] = apus_sum_of_squares(
        gradient + start, min(Buckets.block, slice.upperBound - start))
    }
  }
}

extension DataParallel {
  /// Returns the Euclidean norm of the summed gradient, with the same bits on every rank of the group.
  ///
  /// Collective.
  package func norm(of gradient: SummedGradient) throws -> Double {
    let blocks = (0..<group.size).map { rank in
      buckets.owned(by: rank).flatMap { range in
        stride(from: range.lowerBound, to: range.upperBound, by: Buckets.block).map {
          $0 / Buckets.block
        }
      }
    }
    let layout = BlockLayout(packing: blocks.map(\.count))
    var gathered = [Double](repeating: 0, count: layout.total)
    for (place, block) in blocks[group.rank].enumerated() {
      gathered[layout.displacements[group.rank] + place] = gradient.squaredNorms.values[block]
    }
    try gathered.withUnsafeMutableBufferPointer { try group.allGatherV(inPlace: $0, layout) }
    var values = gradient.squaredNorms.values
    for (block, value) in zip(blocks.joined(), gathered) { values[block] = value }
    return values.reduce(0, +).squareRoot()
  }
}
