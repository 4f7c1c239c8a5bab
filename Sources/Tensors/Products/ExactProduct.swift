import CKernels
import Files
import Glibc

/// A matrix product of small integers, which every correct library computes exactly: all sums are
/// integers below 2²⁴, so neither their order nor the precision of the operands changes a bit.
package struct ExactProduct {
  /// A [m, k] times B [k, n], each stored transposed or not.
  package struct Shape: Equatable, Sendable, CustomStringConvertible {
    let m: Int
    let n: Int
    let k: Int
    var transposesA = false
    var transposesB = false

    /// The shape as text, such as "130×70×96, A transposed".
    package var description: String {
      "\(m)×\(n)×\(k)" + (transposesA ? ", A transposed" : "")
        + (transposesB ? ", B transposed" : "")
    }

    /// The square of 512, large enough for a library's full speed.
    package static let benchmark = Shape(m: 512, n: 512, k: 512)
    /// The ``ExactProduct/hash`` of the benchmark's result, on every machine.
    package static let benchmarkHash: UInt64 = 0xF6BA_A59A_8CF5_5559

    /// Shapes as a training step has them, with whole and partial tiles of the kernels; few rows are
    /// computed by other kernels than many.
    package static let checks = [
      Shape(m: 130, n: 70, k: 96), Shape(m: 130, n: 70, k: 96, transposesA: true),
      Shape(m: 130, n: 70, k: 96, transposesB: true), Shape(m: 7, n: 200, k: 65),
      Shape(m: 64, n: 256, k: 128, transposesA: true, transposesB: true),
    ]
  }

  private let shape: Shape
  private let workspace: Workspace
  private let a: Tensor
  private let b: Tensor
  private let c: Tensor

  /// Fills the operands in the precision of `workspace`.
  package init(_ shape: Shape, in workspace: Workspace) {
    self.shape = shape
    self.workspace = workspace
    func operand(_ rows: Int, _ columns: Int, _ transposes: Bool, _ value: (Int, Int) -> Int)
      -> Tensor
    {
      var values: [Float] = []
      values.reserveCapacity(rows * columns)
      for outer in 0..<(transposes ? columns : rows) {
        for inner in 0..<(transposes ? rows : columns) {
          values.append(Float(transposes ? value(inner, outer) : value(outer, inner)))
        }
      }
      let stored = transposes ? [columns, rows] : [rows, columns]
      return Tensor(values, shape: stored, in: workspace).operand
    }
    a = operand(shape.m, shape.k, shape.transposesA, Self.elementOfA)
    b = operand(shape.k, shape.n, shape.transposesB, Self.elementOfB)
    c = Tensor(repeating: 0, shape: [shape.m, shape.n], in: workspace)
  }

  private static func elementOfA(_ row: Int, _ k: Int) -> Int { (5 * row + 3 * k + k / 7) % 7 - 3 }
  private static func elementOfB(_ k: Int, _ column: Int) -> Int {
    (2 * k + 7 * column + column / 5) % 9 - 4
  }

  /// The FLOPs of one run.
  package var operations: Double { 2 * Double(shape.m) * Double(shape.n) * Double(shape.k) }

  /// Computes the product once.
  package func run() {
    workspace.multiply(
      Matrix(a, transposed: shape.transposesA), Matrix(b, transposed: shape.transposesB),
      into: MatrixDestination(c), m: shape.m, n: shape.n, k: shape.k)
  }

  /// A hash of the bytes of the result.
  package var hash: UInt64 {
    var hash = FNV1a()
    hash.combine(
      UnsafeBufferPointer(
        start: UnsafeRawPointer(c.pointer).assumingMemoryBound(to: UInt8.self),
        count: 4 * c.count))
    return hash.value
  }

  /// A copy of the result.
  fileprivate var copy: [Float] { Array(UnsafeBufferPointer(start: c.pointer, count: c.count)) }

  /// True when the result has the bits of `values`.
  fileprivate func equals(_ values: [Float]) -> Bool {
    memcmp(values, c.pointer, 4 * c.count) == 0
  }

  /// Makes one element of the result wrong, for tests.
  func change(element: Int) { c.pointer[element] += 1 }

  /// True when the result is that of a plain loop.
  package var isRight: Bool {
    for row in 0..<shape.m {
      for column in 0..<shape.n {
        var sum = 0
        for k in 0..<shape.k { sum += Self.elementOfA(row, k) * Self.elementOfB(k, column) }
        if c.pointer[row * shape.n + column] != Float(sum) { return false }
      }
    }
    return true
  }

  /// Returns the shapes whose product in `precision` differs from a plain loop.
  package static func wrongShapes(in precision: Precision) -> [Shape] {
    let workspace = Workspace(precision: precision)
    return Shape.checks.filter { shape in
      let product = ExactProduct(shape, in: workspace)
      product.run()
      return !product.isRight
    }
  }
}

/// The speed of one core, which all others may compute beside.
package enum CoreSpeed {
  /// Returns FLOP/s of the calling thread in ``ExactProduct``s in `precision`, from the fastest one in
  /// `seconds`, and whether each had the known result.
  package static func products(in precision: Precision, seconds: Double) -> (
    flops: Double, isRight: Bool
  ) {
    let product = ExactProduct(.benchmark, in: Workspace(precision: precision))
    product.run()
    let isFirstRight = product.hash == ExactProduct.Shape.benchmarkHash
    let first = product.copy
    var best = Double.infinity
    var isRight = isFirstRight
    let start = ContinuousClock.now
    repeat {
      best = min(best, self.seconds(of: product.run))
      isRight = isRight && product.equals(first)
    } while ContinuousClock.now - start < .seconds(seconds)
    return (product.operations / best, isRight)
  }

  /// Returns FLOP/s of the calling thread in fused multiply-adds of registers, from the fastest ones
  /// in `seconds`.
  package static func multiplyAdds(seconds: Double) -> Double {
    var best = 0.0
    let start = ContinuousClock.now
    repeat {
      var operations = 0.0
      let time = self.seconds(of: { operations = apus_multiply_adds(100_000) })
      best = max(best, operations / time)
    } while ContinuousClock.now - start < .seconds(seconds)
    return best
  }

  private static func seconds(of body: () -> Void) -> Double {
    let duration = ContinuousClock().measure(body).components
    return Double(duration.seconds) + 1e-18 * Double(duration.attoseconds)
  }
}
