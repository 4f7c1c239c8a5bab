/// A benchmark product of two square matrices in the workspace's precision, 2·size³ FLOPs.
package struct GEMMBenchmark {
  private let size: Int
  private let a: Tensor
  private let b: Tensor
  private let c: Tensor

  /// Allocates and fills the matrices.
  package init(size: Int, in workspace: Workspace) {
    self.size = size
    a = Tensor(repeating: 0.5, shape: [size, size], in: workspace).operand
    b = Tensor(repeating: 0.25, shape: [size, size], in: workspace).operand
    c = Tensor(repeating: 0, shape: [size, size], in: workspace)
  }

  /// The FLOPs of one run.
  package var operations: Double { 2 * Double(size) * Double(size) * Double(size) }

  /// Computes the product once.
  package func run() {
    c.workspace.multiply(
      Matrix(a), Matrix(b), into: MatrixDestination(c), m: size, n: size, k: size)
  }
}
