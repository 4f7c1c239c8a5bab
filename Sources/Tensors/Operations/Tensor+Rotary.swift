import CKernels
import Glibc

/// Cosines and sines of rotary position embeddings (Su and others 2021).
///
/// The angle of position p in pair i is p·base^(−2i/dim).
package struct RotaryTable: Sendable {
  /// Size of a head, which is even.
  package let dim: Int
  /// Number of positions.
  package let positions: Int
  let cosines: [Float]
  let sines: [Float]

  /// Creates tables for `positions` positions of heads of size `dim` with the frequencies of
  /// `base`.
  package init(dim: Int, positions: Int, base: Double) {
    self.init(frequencies: RotaryTable.frequencies(dim: dim, base: base), positions: positions)
  }

  /// Creates tables for `positions` positions with the given frequencies.
  ///
  /// - Parameters:
  ///   - frequencies: Radians per position of each pair of elements.
  ///   - positions: The number of positions.
  ///   - magnitude: Factor of cosines and sines.
  package init(frequencies: [Float], positions: Int, magnitude: Float = 1) {
    dim = 2 * frequencies.count
    self.positions = positions
    let half = frequencies.count
    var cosines = [Float](repeating: 0, count: positions * half)
    var sines = cosines
    for (pair, frequency) in frequencies.enumerated() {
      for position in 0..<positions {
        let angle = Double(Float(Double(position) * Double(frequency)))
        cosines[position * half + pair] = Float(cos(angle)) * magnitude
        sines[position * half + pair] = Float(sin(angle)) * magnitude
      }
    }
    self.cosines = cosines
    self.sines = sines
  }

  /// Returns base^(−2i/dim) of every pair i, in 32 bits as in all published models.
  package static func frequencies(dim: Int, base: Double) -> [Float] {
    precondition(dim % 2 == 0, "rotary positions need an even head size, not \(dim)")
    return (0..<dim / 2).map { Float(1 / pow(base, Double(2 * $0) / Double(dim))) }
  }
}

extension Tensor {
  /// Returns the heads of every row [rows, heads·dim] rotated to the row's position.
  ///
  /// Element i of a head is paired with element i + dim/2 (Hugging Face's order).
  ///
  /// The backward pass rotates the gradient by the negative angle.
  package func rotated(_ table: RotaryTable, positions: [Int32]) -> Tensor {
    precondition(
      positions.count == rows && columns % table.dim == 0,
      "rotated: \(positions.count) positions and head size \(table.dim) for shape \(shape)")
    precondition(
      positions.allSatisfy { $0 >= 0 && Int($0) < table.positions },
      "rotated: a position is outside 0..<\(table.positions)")
    let x = self
    let (rows, columns) = (rows, columns)
    let turn = {
      (
        y: UnsafeMutablePointer<Float>, x: UnsafePointer<Float>, block: Range<Int>,
        direction: Float, adds: Bool
      ) in
      positions.withUnsafeBufferPointer {
        guard let first = $0.baseAddress else { return }
        apus_rotate(
          y, columns, x, columns, table.cosines, table.sines, first + block.lowerBound,
          block.count, columns / table.dim, table.dim, direction, adds)
      }
    }
    let y = Tensor(uninitialized: shape, type: type, in: workspace)
    Tensor.forEachBlock(of: [x]) { block in
      x.reading(block) { x in y.writing(block) { y in turn(y, x, block, 1, false) } }
    }
    let place = gradientPlace
    return y.recorded(from: x) { dy in
      place.accumulate { dx, adds in turn(dx, dy.pointer, 0..<rows, -1, adds) }
    }
  }
}
